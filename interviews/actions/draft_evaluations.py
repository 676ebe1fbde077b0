"""Draft evaluations: the language model suggests a level for each criterion, and a person decides.

A draft is planned when a candidate agrees to it (`plan`), and made by a job when the interview has ended and
its transcripts stand (`advance`). A job asks for some seconds only, so that organisations take turns; then it
goes to the end of its queue. What was sent is not sent again.

Nothing is sent unless the platform has a model, the organisation uses it, the published interview wants a
draft, and the candidate agreed to a text that says so. All of it is looked at again by each job.
"""

import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from interviews import states
from interviews.actions import follow_ups
from interviews.actions.draft_requests import LOST_AFTER, Asking, Stopped
from interviews.brain import draft_evaluation, guard, metrics
from interviews.brain.draft_evaluation import Draft
from interviews.brain.grading import Criterion
from interviews.brain.passages import Said
from interviews.models import DraftEvaluation, InterviewVersion, Session, Suggestion
from interviews.queries import suggestions, transcript_versions
from interviews.queries.answers import AnswerRecord
from interviews.texts import consent
from voice.errors import RequestRefused, VoiceError
from voice.infra.backoff import pause_s
from voice.models import Transcript
from voice.queues import jobs
from voice.types import Word

logger = logging.getLogger(__name__)

JOB: Final = "interviews.jobs.draft_evaluation"
QUEUE: Final = "brain-later"
LOOK_AGAIN: Final = LOST_AFTER
"""After so long it is looked again for transcripts, and for a job that was lost."""
MOST_ATTEMPTS: Final = 12
RETRY_FIRST_S, RETRY_LONGEST_S = 60, 4 * 3600
Status = DraftEvaluation.Status


# --- When ------------------------------------------------------------------------------------------


def is_agreed(definition: InterviewVersion, *, consent_text: str) -> bool:
    """Whether what is said in an interview may be sent to the model for a draft evaluation."""
    return (
        definition.is_evaluation_drafted
        and bool(definition.rubric)
        and definition.language in guard.languages()
        and consent.names_draft_evaluation(consent_text, settings.LLM_NAME)
        and follow_ups.is_offered(definition.interview.organisation)
    )


def plan(*, session: Session, now: datetime) -> None:
    """Note at the beginning that a draft is to be made at the end, if the candidate agreed to it."""
    wanted = is_agreed(session.agreed, consent_text=session.consent_text)
    if wanted and session.invitation.tried_id is None:
        DraftEvaluation.objects.create(session=session, retry_at=now)


def due(*, now: datetime) -> QuerySet[DraftEvaluation]:
    """Return the drafts that can be made: their interviews have ended. Those that waited longest first."""
    late = now + timedelta(seconds=2 * RETRY_LONGEST_S)  # later than possible: the clock was set back
    rows = DraftEvaluation.objects.filter(Q(retry_at__lte=now) | Q(retry_at__gt=late), status=Status.WAITING)
    return rows.exclude(session__status__in=states.OPEN_SESSION_STATUSES).order_by("retry_at")


def job_id(draft_id: object) -> str:
    """Return the id of the one job of a draft."""
    return f"draft-evaluation-{draft_id}"


def queue(draft_id: object, *, organisation_id: int) -> None:
    """Queue the job that makes a draft."""
    tenant = f"organisation:{organisation_id}"
    jobs.enqueue(QUEUE, JOB, str(draft_id), job_id=job_id(draft_id), tenant=tenant)


def advance(*, draft_id: UUID, now: datetime) -> bool:
    """Make a draft, or a part of it; return whether its job is to go on. A second call repeats nothing."""
    rows = DraftEvaluation.objects.select_related(
        "session__definition__interview__organisation", "session__invitation__interview__published"
    )
    row = rows.filter(pk=draft_id, status=Status.WAITING).first()
    if row is None or row.session.status in states.OPEN_SESSION_STATUSES:
        return False
    session = row.session
    is_set_aside = session.invitation.set_aside_of_id is not None
    if is_set_aside or not is_agreed(session.agreed, consent_text=session.consent_text):
        _end(row, Status.ENDED, "unwanted")
        return False
    answers = suggestions.records(session)
    if any(_is_awaited(each) for each in answers) or transcript_versions.is_to_be_replaced(session):
        _postpone(row, now + LOOK_AGAIN)
        return False
    return _make(row, answers, now=now)


def _is_awaited(record: AnswerRecord) -> bool:
    """Whether what was said is not known yet."""
    return record.transcript is not None and record.transcript.status == Transcript.Status.WAITING


def _make(row: DraftEvaluation, answers: list[AnswerRecord], *, now: datetime) -> bool:
    """Return whether there is more to ask, and time is over."""
    version = row.session.agreed
    said = [_said(each) for each in answers]
    ask = Asking(row, answers, now)
    try:
        made = draft_evaluation.made(_criteria(version), said, language=version.language, ask=ask)
    except Stopped:
        if ask.is_out_of_time:
            _postpone(row, now + LOOK_AGAIN)
        return ask.is_out_of_time
    except VoiceError as error:
        _try_later(row, error, now=now)
    else:
        _keep(row, made, suggestions.said_key(answers), now=now)
    return False


# --- What is asked ---------------------------------------------------------------------------------


def _criteria(version: InterviewVersion) -> list[Criterion]:
    positions = {question.id: n for n, question in enumerate(version.asked, start=1)}
    return [
        Criterion(
            key=str(each.id),
            name=each.name,
            meaning=each.meaning,
            levels=tuple(each.levels),
            positions=frozenset(positions[key] for key in each.questions if key in positions),
        )
        for each in version.criteria
    ]


def _said(record: AnswerRecord) -> Said:
    """Return the words of an answer as they are corrected, or as they were typed."""
    answer = record.answer
    spoken = tuple(
        Word(each.text, each.start_s, each.end_s, each.confidence) for each in record.stretches if each.text
    )
    written = tuple(Word(text, 0.0, 0.0, 1.0) for text in (answer.typed_text or record.text).split())
    has_times = bool(spoken) and not answer.typed_text
    return Said(
        key=str(answer.pk),
        number=answer.number,
        position=answer.position,
        question=answer.question_text,
        words=spoken if has_times else written,
        has_times=has_times,
        is_reliable=suggestions.is_reliable(record),
    )


# --- What becomes of it ----------------------------------------------------------------------------


def _try_later(row: DraftEvaluation, error: VoiceError, *, now: datetime) -> None:
    """Let the sweeper queue the draft again, unless the model does not take it or was away too often."""
    row.attempts += 1
    if isinstance(error, RequestRefused) or row.attempts >= MOST_ATTEMPTS:
        _end(row, Status.FAILED, "failed")
        return
    after_s = pause_s(row.attempts, first_s=RETRY_FIRST_S, longest_s=RETRY_LONGEST_S)
    _postpone(row, now + timedelta(seconds=after_s))


def _postpone(row: DraftEvaluation, until: datetime) -> None:
    waiting = DraftEvaluation.objects.filter(pk=row.pk, status=Status.WAITING)
    waiting.update(retry_at=until, attempts=row.attempts)


def _end(row: DraftEvaluation, status: str, outcome: str) -> None:
    waiting = DraftEvaluation.objects.filter(pk=row.pk, status=Status.WAITING)
    if waiting.update(status=status, attempts=row.attempts):
        metrics.DRAFTS.labels(outcome).inc()
        logger.info("draft evaluation %s: %s", row.pk, outcome)


@transaction.atomic
def _keep(row: DraftEvaluation, made: Draft, said_key: str, *, now: datetime) -> None:
    """Keep the suggestions, unless another job did or the candidate was erased meanwhile."""
    rows = DraftEvaluation.objects.select_for_update(of=("self",))
    if not rows.filter(pk=row.pk, status=Status.WAITING).exists():
        return
    numbers = {str(answer.pk): answer.number for answer in row.session.answers.all()}
    Suggestion.objects.bulk_create(
        Suggestion(
            draft=row,
            criterion=int(key),
            level=grade.level or None,
            rationale=grade.rationale,
            quotes=[
                {"number": numbers[quote.answer], "text": quote.text, "start_s": quote.start_s}
                for quote in grade.quotes
            ],
            reason=grade.reason,
        )
        for key, grade in made.grades.items()
    )
    DraftEvaluation.objects.filter(pk=row.pk).update(
        status=Status.DONE,
        model=settings.LLM_MODEL,
        run_by=settings.LLM_NAME,
        prompt_version=draft_evaluation.VERSION,
        said_key=said_key,
        addressed=[[each.said.number, each.start_s] for each in made.addressed],
        made_at=timezone.now(),
    )
    metrics.DRAFTS.labels("made").inc()
    for grade in made.grades.values():
        metrics.SUGGESTIONS.labels("none" if grade.reason else "suggested").inc()
