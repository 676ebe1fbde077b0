"""Inviting candidates."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from interviews import states
from interviews.actions import sessions
from interviews.actions.errors import BadValue, WrongState
from interviews.actions.transitions import move
from interviews.models import Interview, Invitation, Session


def invite(
    *,
    interview: Interview,
    candidate_name: str,
    candidate_email: str = "",
    expires_at: datetime,
    by: object,
    now: datetime,
) -> Invitation:
    """Make a link for a candidate. Raises BadValue for an interview without questions or a bad value."""
    if not interview.questions.exists():
        raise BadValue("interview: it has no questions yet. Add one before inviting candidates.")
    if expires_at <= now:
        raise BadValue("expires_at: it lies in the past.")
    if not candidate_name.strip():
        raise BadValue("candidate_name: it is empty.")
    created_by = by if isinstance(by, User) else None
    return Invitation.objects.create(
        interview=interview,
        candidate_name=candidate_name.strip(),
        candidate_email=candidate_email,
        expires_at=expires_at,
        created_by=created_by,
        created_at=now,
    )


@transaction.atomic
def revoke(*, invitation: Invitation, by: object, now: datetime) -> None:
    """End a link. An interview under way is closed, and its recordings are kept."""
    # Lock the session's row first, in the same order as the finish of a session does: this avoids a deadlock.
    session = Session.objects.select_for_update().filter(invitation=invitation).first()
    move(invitation, states.REVOKE_INVITATION, by=by)
    if session is not None and session.status in states.OPEN_SESSION_STATUSES:
        sessions.abandon(session=session, by=by, now=now)


def expire_due(*, now: datetime) -> int:
    """Expire unused links that are due, and return how many. An interview under way may be finished."""
    count = 0
    for invitation in Invitation.objects.filter(status=Invitation.Status.PENDING, expires_at__lte=now)[:1000]:
        try:
            move(invitation, states.EXPIRE_INVITATION, by="expiry")
            count += 1
        except WrongState:
            continue  # the candidate began in the meantime
    return count
