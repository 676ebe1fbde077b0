"""What is counted of webhooks; docs/metrics.md lists it."""

from prometheus_client import Counter

ATTEMPTS = Counter(
    "interviews_webhook_attempts", "Attempts to deliver an event, by what came of them.", ["outcome"]
)
