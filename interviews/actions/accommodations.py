"""Accommodations: what one candidate gets so that the interview is fair, before its start or in its middle.

    accommodations.give(invitation=invitation, extra_percent=50, reason="…", by=user, now=now)

Each call replaces what was given before; the earlier rows stay as the history. The reason may tell of a
person's health, so nothing of this is logged: the rows say who gave what, and when.
"""

from collections import Counter
from datetime import datetime

from django.db import transaction

from accounts.models import User
from interviews import states, tokens
from interviews.actions.errors import BadValue, WrongState
from interviews.events import publishing
from interviews.models import Accommodation, Answer, Invitation, Session
from interviews.queries import rows
from voice.recordings import lifecycle

LONGEST_REASON = 500
LONGEST_EXTRA = 300
OPEN = (Invitation.Status.PENDING, Invitation.Status.STARTED, Invitation.Status.EXPIRED)
"""In an interview that is over nothing can be changed. One that has expired may be extended."""


@transaction.atomic
def give(
    *,
    invitation: Invitation,
    extra_percent: int = 0,
    is_untimed: bool = False,
    is_written: bool = False,
    is_patient: bool = False,
    has_large_text: bool = False,
    reason: str,
    by: object,
    now: datetime,
) -> Accommodation:
    """Give a candidate exactly this from now on; with nothing chosen, what all get. Open pages are told.

    An answer that is being recorded may become longer at once, but never shorter.

    Raises:
        BadValue: no reason, one that is too long, or a number out of range.
        WrongState: the interview is over.
    """
    reason = _checked_reason(reason)
    if not 0 <= extra_percent <= LONGEST_EXTRA:
        raise BadValue(f"extra_percent: between 0 and {LONGEST_EXTRA} is possible.")
    # The session's row first, as every writer of the interview does.
    session_id = Session.objects.filter(invitation=invitation).values_list("pk", flat=True).first()
    session = rows.session(session_id, is_locked=True) if session_id else None
    locked = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if locked.status not in OPEN:
        raise WrongState(f"invitation is {locked.status}: there is nothing left to accommodate.")
    given = Accommodation(
        invitation=locked,
        extra_percent=extra_percent,
        is_untimed=is_untimed,
        is_written=is_written,
        is_patient=is_patient,
        has_large_text=has_large_text,
        given_by=by if isinstance(by, User) else None,
        given_at=now,
    )
    given.reason = reason
    given.save()
    Invitation.objects.filter(pk=locked.pk).update(accommodation=given)
    invitation.accommodation = given
    if session is not None and session.status in states.OPEN_SESSION_STATUSES:
        _tell(session, given)
    return given


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise BadValue(f"reason: between 1 and {LONGEST_REASON} characters are needed.")
    return reason


def _tell(session: Session, given: Accommodation) -> None:
    """Let the interview under way follow: its recording, and the pages that are open."""
    session.invitation.accommodation = given
    current = rows.current_answer(session)
    if current is not None and current.status == Answer.Status.RECORDING:
        lifecycle.allow(
            recording=current.current_recording, max_seconds=given.recorded_s(current.answer_limit_seconds)
        )
    publishing.publish("accommodation_changed", session, current)


def rotate_keys() -> Counter[str]:
    """Write every reason anew with the newest of `TOKEN_KEYS`; return how many `written` and `unreadable`."""
    return Counter(map(_rotate, Accommodation.objects.exclude(reason_encrypted=None).iterator()))


def _rotate(accommodation: Accommodation) -> str:
    try:
        accommodation.reason = accommodation.reason
    except tokens.UnreadableToken:
        return "unreadable"
    accommodation.save(update_fields=["reason_encrypted"])
    return "written"
