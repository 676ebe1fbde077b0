"""The order of a candidate's questions: which one may be answered, and when there is none left."""

from datetime import datetime
from typing import NamedTuple, cast

from interviews import states
from interviews.actions import outbox
from interviews.actions.errors import WrongState
from interviews.actions.transitions import move
from interviews.models import Answer, EventType, Exchange, Session
from voice.infra import sql


class Standing(NamedTuple):
    """Where an interview stands.

    next_position: of the first unanswered question, None after the last. is_waiting: for a follow-up.
    """

    next_position: int | None
    is_waiting: bool


_STANDING = """
SELECT min(position) FILTER (WHERE status <> 'accepted'), coalesce(bool_or(follow_up_by IS NOT NULL), false)
FROM interviews_answer
WHERE session_id = %s AND kind <> 'practice'
"""


def standing(session: Session) -> Standing:
    """Return where the interview stands, in one statement."""
    return Standing(*cast("tuple[int | None, bool]", sql.fetch(_STANDING, session.pk)[0]))


def require_current(answer: Answer) -> None:
    """Check that the answer's question is at hand. Raises WrongState for a later one.

    Whoever goes on with the next question does not wait for a follow-up to the last answer any more.
    """
    if answer.kind == Answer.Kind.PRACTICE:
        is_current = answer.session.status == states.SessionStatus.PRACTISING
    else:
        is_current = answer.session.status == states.SessionStatus.UNDER_WAY and _is_next(answer)
    if not is_current:
        raise WrongState("answer is not the current one: reload to see where the interview stands.")


def _is_next(answer: Answer) -> bool:
    now = standing(answer.session)
    if now.next_position is not None and answer.position > now.next_position:
        return False
    if now.is_waiting:
        stop_waiting(answer.session)
    return True


_STOP = "UPDATE interviews_answer SET follow_up_by = NULL WHERE session_id = %s AND follow_up_by IS NOT NULL"


def stop_waiting(session: Session) -> None:
    """Wait for no follow-up question any more. One that comes later is not asked."""
    sql.change(_STOP, session.pk)
    late = Exchange.objects.filter(answer__session=session, outcome=Exchange.Outcome.PROPOSED)
    late.update(outcome=Exchange.Outcome.LATE)


def finish_if_over(session: Session, *, by: object, now: datetime) -> None:
    """Finish the session and its invitation after the last answer."""
    if standing(session).next_position is not None:
        return
    move(session, states.FINISH_SESSION, by=by, finished_at=now)
    move(session.invitation, states.FINISH_INVITATION, by=by)
    outbox.tell(EventType.INTERVIEW_COMPLETED, session.invitation_id, now=now, session_id=session.pk)
