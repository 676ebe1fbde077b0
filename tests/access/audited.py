"""What the audit must have of each answer of the site: whatever shows or changes a candidate's data."""

from accounts.audit.models import AuditEntry
from tests.access.addresses import Address
from tests.access.organisation import MARK

PERSONAL = [
    text.encode()
    for text in (
        f"Ada {MARK}",
        f"ada@{MARK}.example",
        f"Bea {MARK}",
        f"{MARK}s smile",
        f"{MARK}s sleep",
        f"A {MARK}!",
    )
]
"""Words of `organisation` that are about a candidate."""
TAKEN_BY_THE_CANDIDATE = (
    *(
        "/i/{token}/",
        "/i/{token}/room/",
        "/i/{token}/groups/",
        "/i/{token}/new-link/",
        "/i/{token}/reminders/",
    ),
)
"""The interview itself, in the candidate's own hands."""
OF_CANDIDATE = (
    "{invitation_id}",
    "{candidate_id}",
    "{session_id}",
    "{answer_id}",
    "/invitation/{object_id}",
    "/session/{object_id}",
)
"""Parts of addresses that name a candidate."""
LEADING_ON = ("/review/", "/erase/", "/{object_id}/")
"""They lead to another page and do nothing themselves."""
OF_FILES = ("/export", "/file")
"""Ends of addresses of the API that take candidates away."""
MISSING = "leaves no entry: declare it with accounts.audit.doors (docs/audit.md)"


def last() -> int:
    """Return the number of the newest entry."""
    return AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def problem(address: Address, told: bytes, *, is_done: bool, since: int) -> str:
    """Return what the audit lacks of this answer; "" if nothing. is_done: the visitor was admitted."""
    if address.template.endswith(LEADING_ON) or address.template in TAKEN_BY_THE_CANDIDATE:
        return ""
    is_change = (
        address.method != "GET"
        and address.template.startswith(("/admin/", "/api/"))
        and any(name in address.template for name in OF_CANDIDATE)
    )
    if not any(word in told for word in PERSONAL) and not (is_change and is_done):
        return ""
    entries = AuditEntry.objects.filter(pk__gt=since, outcome__in=["allowed", "failed"])
    kinds = set(entries.values_list("kind", flat=True))
    if not kinds:
        return MISSING
    wrong = kinds & _wrong_kinds(address)
    return f"leaves an entry of the kind {', '.join(wrong)}" if wrong else ""


def _wrong_kinds(address: Address) -> set[str]:
    """Return the kinds of entries that this answer of the API cannot be."""
    if not address.template.startswith("/api/v1/"):
        return set()
    if address.method != "GET":
        return {"listed", "read"}
    if address.template.endswith(OF_FILES):
        return {"listed", "read", "changed"}
    is_of_one = any(name in address.template for name in OF_CANDIDATE)
    return {"changed", "listed"} if is_of_one else {"changed", "read"}
