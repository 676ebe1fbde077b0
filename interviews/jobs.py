"""Jobs of the product."""

from django.utils import timezone

from interviews.actions import invitations, sessions


def expire() -> None:
    """Expire unused links that are due, and abandon idle sessions."""
    now = timezone.now()
    invitations.expire_due(now=now)
    sessions.abandon_idle(now=now)
