"""What is counted of API keys and of the audit; docs/metrics.md lists it."""

from prometheus_client import Counter

REFUSED = Counter("interviews_keys_refused", "Valid API keys that were refused, by the reason.", ["reason"])
AUDIT_FINDINGS = Counter("interviews_audit_findings", "What the daily verification of the audit found wrong.")
