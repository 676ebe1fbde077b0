"""Withdrawing consent: the interview stops at once, and nothing more is done with what was said (ADR 54).

    withdrawal.withdraw(invitation=invitation, now=now)

What was said is erased when the candidate asks for it (`erasure.ask`), or by the clock a week later: until
then it can still be downloaded.
"""

import logging
from datetime import datetime

from django.db import transaction

from interviews import states
from interviews.actions import sessions
from interviews.actions.errors import WrongState
from interviews.actions.transitions import move
from interviews.events import publishing
from interviews.models import Answer, DraftEvaluation, Invitation, Session
from interviews.queries import retention
from voice.recordings import lifecycle

logger = logging.getLogger(__name__)


@transaction.atomic
def withdraw(*, invitation: Invitation, now: datetime) -> None:
    """Stop the candidate's interview, whatever its state, and what is still being done with it.

    An answer that is being spoken is discarded, unless a legal hold keeps it. A second call does nothing.

    Raises WrongState where the candidate never consented.
    """
    session = Session.objects.select_for_update().filter(invitation=invitation).first()
    if session is None:
        raise WrongState("there is no consent that could be withdrawn.")
    if session.withdrawn_at is not None:
        return
    if session.status in states.OPEN_SESSION_STATUSES:
        _stop(session, by=invitation, now=now)
    Session.objects.filter(pk=session.pk).update(withdrawn_at=now)
    _end_work_on(session)
    publishing.close_connections(session.pk)
    logger.info("consent of session %s was withdrawn", session.pk)


def _stop(session: Session, *, by: Invitation, now: datetime) -> None:
    if retention.hold_of(by) is None:
        for answer in session.answers.filter(status=Answer.Status.RECORDING).select_related("recording"):
            spoken = answer.current_recording
            move(answer, states.ASK_AGAIN, by=by, recording=None)
            lifecycle.discard(recording=spoken)
    sessions.abandon(session=session, by=by, now=now)
    move(session.invitation, states.EXPIRE_INVITATION, by=by)


def _end_work_on(session: Session) -> None:
    """Let nothing be recognised, drafted or asked any more, of attempts that were set aside neither.

    A worker in the middle of it finds no row to write.
    """
    attempts = Session.objects.of_candidate(session.invitation_id)
    answers = Answer.objects.filter(session__in=attempts)
    recordings = answers.exclude(recording=None).values_list("recording_id", flat=True)
    lifecycle.end_recognition(recording_ids=list(recordings))
    answers.filter(follow_up_by__isnull=False).update(follow_up_by=None)
    waiting = DraftEvaluation.objects.filter(session__in=attempts, status=DraftEvaluation.Status.WAITING)
    waiting.update(status=DraftEvaluation.Status.ENDED)
