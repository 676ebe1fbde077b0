"""Jobs of the product."""

from uuid import UUID

from django.utils import timezone

from interviews.actions import invitations, new_links, sessions


def expire() -> None:
    """Expire unused links that are due, abandon idle sessions, and protect links of the release before."""
    now = timezone.now()
    invitations.protect_links(now=now)
    invitations.expire_due(now=now)
    sessions.abandon_idle(now=now)


def send_link(invitation_id: str) -> None:
    """Send a new link to a candidate."""
    new_links.send_link(invitation_id=UUID(invitation_id), now=timezone.now())
