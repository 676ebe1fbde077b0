"""What people do with the platform, counted; docs/metrics.md lists all metrics."""

from prometheus_client import Counter

STATUS_CHANGES = Counter(
    "interviews_status_changes",
    "Changes of a status; kind: interview, invitation, session or answer; status: the new one.",
    ["kind", "status"],
)
MAILS = Counter(
    "interviews_mails",
    "E-mails to candidates, by what became of them; status: of Message.Status; waiting: to be tried again.",
    ["status"],
)
