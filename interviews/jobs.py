"""Jobs of the product."""

from django.utils import timezone

from interviews.actions import invitations, sessions


def expire() -> None:
    """Expire unused links that are due, abandon idle sessions, and protect links of the release before."""
    now = timezone.now()
    invitations.protect_links(now=now)
    invitations.expire_due(now=now)
    sessions.abandon_idle(now=now)
