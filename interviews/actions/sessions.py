"""Taking an interview: consent, devices, the end."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from interviews import states
from interviews.actions import answers, draft_evaluations, follow_ups, interviews, outbox
from interviews.actions.errors import WrongState
from interviews.actions.transitions import move
from interviews.events import publishing
from interviews.models import Answer, EventType, Invitation, Question, Session
from interviews.queries import rows
from voice.infra import sql

PRACTICE_THINK_S, PRACTICE_LIMIT_S, PRACTICE_RETAKES = 5, 30, 3


@transaction.atomic
def start(*, invitation: Invitation, now: datetime) -> Session:
    """Begin the session after consent, with a copy of every question.

    A second call returns the existing session. Of two calls at once, the second waits for the lock on the
    invitation's row and then finds the session.

    Raises WrongState where the link has ended, or the deadline is over.
    """
    if invitation.status == states.InvitationStatus.PENDING and invitation.begin_by <= now:
        raise WrongState("the time to begin this interview is over.")
    try:
        move(invitation, states.START_INVITATION, by=invitation)
    except WrongState:
        existing = Session.objects.filter(invitation=invitation).first()
        if existing is None:
            raise
        return existing
    definition = invitation.definition
    session = Session(
        invitation=invitation,
        definition=definition,
        consent_text=definition.consent_text,
        consented_at=now,
        last_seen_at=now,
    )
    sql.insert(session)
    copies = _answers_for(session)
    sql.insert(*copies)
    outbox.tell(EventType.INTERVIEW_STARTED, invitation.pk, now=now, session_id=session.pk)
    draft_evaluations.plan(session=session, now=now)
    scripted = [text for question in definition.asked for text in question.scripted_follow_ups]
    interviews.request_texts(definition, texts=[*(copy.question_text for copy in copies), *scripted])
    return session


def _answers_for(session: Session) -> list[Answer]:
    definition = session.agreed
    may_follow_up = any(question.follow_ups for question in definition.asked) and follow_ups.is_agreed(
        definition, consent_text=session.consent_text
    )
    left = set(Question.objects.filter(interview=definition.interview_id).values_list("pk", flat=True))
    practice = Answer(
        session=session,
        kind=Answer.Kind.PRACTICE,
        position=0,
        question_text=interviews.practice_text(definition),
        think_seconds=PRACTICE_THINK_S,
        answer_limit_seconds=PRACTICE_LIMIT_S,
        retakes_left=PRACTICE_RETAKES,
    )
    copies = [practice] + [
        Answer(
            session=session,
            question_id=question.id if question.id in left else None,
            position=position,
            question_text=question.text,
            think_seconds=question.think_seconds,
            answer_limit_seconds=question.answer_limit_seconds,
            retakes_left=question.retakes,
            follow_ups_left=question.follow_ups if may_follow_up else 0,
            scripted_left=len(question.scripted_follow_ups),
        )
        for position, question in enumerate(definition.asked, start=1)
    ]
    for copy in copies:
        copy.speech_key = interviews.speech_name(definition, copy.question_text)
    return copies


@transaction.atomic(savepoint=False)
def check_devices(*, session: Session, by: object, now: datetime) -> None:
    """Go on to practice: the microphone and speaker work, or the candidate continues without them."""
    move(session, states.PRACTISE, by=by, last_seen_at=now)
    publishing.publish("devices_checked", session)


@transaction.atomic(savepoint=False)
def skip_practice(*, session: Session, by: object, now: datetime) -> None:
    """End the practice, or skip it."""
    if session.status == states.SessionStatus.CHECKING:
        move(session, states.PRACTISE, by=by)
    practice = rows.practice(session)
    answers.end_practice(
        answer=practice, transition=states.END_PRACTICE, by=by, now=now, name="practice_skipped"
    )


@transaction.atomic
def abandon(*, session: Session, by: object, now: datetime) -> None:
    """Close an unfinished session. Complete and keep answers under way, and delete the practice answer."""
    move(session, states.ABANDON_SESSION, by=by)
    kept = session.answers.select_related("recording")
    answers.discard_recording(kept.get(kind=Answer.Kind.PRACTICE))
    for answer in kept.exclude(kind=Answer.Kind.PRACTICE).filter(status=states.AnswerStatus.RECORDING):
        answers.complete_unattended(answer=answer, by=by, now=now)
    outbox.tell(EventType.INTERVIEW_ABANDONED, session.invitation_id, now=now, session_id=session.pk)
    publishing.close_connections(session.pk)


def abandon_idle(*, now: datetime) -> int:
    """Abandon sessions whose candidate was away for `SESSION_IDLE_HOURS`. Return how many."""
    limit = now - timedelta(hours=settings.SESSION_IDLE_HOURS)
    idle = Session.objects.filter(status__in=states.OPEN_SESSION_STATUSES, last_seen_at__lte=limit)
    count = 0
    for session in idle.select_related("invitation")[:1000]:
        try:
            with transaction.atomic():
                abandon(session=session, by="expiry", now=now)
                move(session.invitation, states.EXPIRE_INVITATION, by="expiry")
            count += 1
        except WrongState:
            continue  # closed in the meantime
    return count


def mark_seen(*, session_id: UUID, now: datetime | None = None) -> bool:
    """Record the time at which the candidate was last connected. Return whether there is such a session."""
    return bool(sql.change(_SEEN, now or timezone.now(), session_id))


_SEEN = "UPDATE interviews_session SET last_seen_at = %s WHERE id = %s"
