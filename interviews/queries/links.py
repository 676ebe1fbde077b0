"""From a candidate's link to the invitation, or to what is wrong with the link."""

from datetime import datetime

from interviews.models import Invitation, Session
from interviews.queries import rows
from interviews.states import InvitationStatus


class LinkProblem(Exception):
    """The link cannot be used: `kind` is unknown, expired, revoked or finished."""

    def __init__(self, kind: str, invitation: Invitation | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.invitation = invitation


def find(
    token: str, *, now: datetime, is_finished_welcome: bool = False
) -> tuple[Invitation, Session | None]:
    """The invitation of a link that can be used now, and the session begun with it. Raises LinkProblem.

    An interview that has begun may be finished after the link's day. A finished one is welcome where the
    browser may still have audio to deliver.
    """
    found = None if "\0" in token else rows.link(token)  # PostgreSQL takes no such text
    if found is None:
        raise LinkProblem("unknown")
    invitation, session = found
    ended = {InvitationStatus.EXPIRED, InvitationStatus.REVOKED, InvitationStatus.FINISHED}
    if is_finished_welcome:
        ended.remove(InvitationStatus.FINISHED)
    if invitation.status in ended:
        raise LinkProblem(invitation.status, invitation)
    if invitation.status == InvitationStatus.PENDING and invitation.expires_at <= now:
        raise LinkProblem("expired", invitation)
    return invitation, session
