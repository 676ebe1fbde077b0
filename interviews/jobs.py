"""What workers run for the product."""

from django.utils import timezone

from interviews.actions import invitations, sessions


def expire() -> None:
    """End unused links on their day, and sessions nobody came back to."""
    now = timezone.now()
    invitations.expire_due(now=now)
    sessions.abandon_idle(now=now)
