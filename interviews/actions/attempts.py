"""Letting one candidate begin again: the attempt so far is set aside, and the same link starts anew."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from interviews import states
from interviews.actions import search_index, sessions
from interviews.actions.errors import BadValue, WrongState
from interviews.actions.transitions import move
from interviews.events import publishing
from interviews.models import Invitation, Session


@transaction.atomic
def reset(*, invitation: Invitation, expires_at: datetime | None = None, by: object, now: datetime) -> None:
    """Set the attempt of a candidate aside. The link begins a new one; open pages end.

    What was said is kept, with an invitation of its own that has no link, so one invitation still has one
    session. It counts nowhere, and goes when the candidate is erased.

    expires_at: the new last day, if it moves.

    Raises:
        BadValue: the last day lies in the past.
        WrongState: nothing was begun, the link was revoked, or the interview's deadline is over.
    """
    # Lock the session's row first, in the same order as the finish of a session does: this avoids a deadlock.
    session = Session.objects.select_for_update().filter(invitation=invitation).first()
    locked = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if locked.status == Invitation.Status.REVOKED:
        raise WrongState(_("The link was revoked: invite the candidate anew."))
    if session is None:
        raise WrongState(_("The interview has not begun: there is nothing to set aside."))
    if locked.is_too_late(now):
        raise WrongState(_("The interview's deadline is over: publish it with a later one, or none, first."))
    last_day = expires_at or locked.expires_at
    if last_day <= now:
        raise BadValue(_("expires_at: it lies in the past. Choose a new last day."))
    if session.status in states.OPEN_SESSION_STATUSES:
        sessions.abandon(session=session, by=by, now=now)
    else:
        publishing.close_connections(session.pk)
    kept = _without_link(locked, is_finished=session.status == Session.Status.FINISHED)
    Session.objects.filter(pk=session.pk).update(invitation=kept)
    search_index.forget_set_aside()
    move(locked, states.RESET_INVITATION, by=by, expires_at=last_day)
    invitation.status, invitation.expires_at = locked.status, last_day


def _without_link(invitation: Invitation, *, is_finished: bool) -> Invitation:
    """Return a new invitation that keeps the attempt: its token is told to no one."""
    return Invitation.objects.create(
        interview_id=invitation.interview_id,
        candidate_name=invitation.candidate_name,
        candidate_email=invitation.candidate_email,
        status=Invitation.Status.FINISHED if is_finished else Invitation.Status.EXPIRED,
        expires_at=invitation.expires_at,
        wants_reminders=False,
        tried_id=invitation.tried_id,
        set_aside_of=invitation,
        created_by_id=invitation.created_by_id,
        created_at=invitation.created_at,
    )
