"""What is counted of API keys; docs/metrics.md lists it."""

from prometheus_client import Counter

REFUSED = Counter("interviews_keys_refused", "Valid API keys that were refused, by the reason.", ["reason"])
