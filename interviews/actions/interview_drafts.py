"""Drafting an interview from a job description, by the language model.

    row = interview_drafts.request(organisation=…, text=…, language="en", question_count=6, by=user, now=now)
    interview_drafts.draft(description_id=row.pk)      # the job: asks the model, and makes the draft

A person asks for it, edits what comes, and publishes it. One job description at a time is at the model.
Everything sent and received is kept as long as the draft; of one that came to nothing, for `KEPT`.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from interviews.actions import exchanges, follow_ups, interviews
from interviews.actions.errors import BadValue, WrongState
from interviews.brain import guard, interview_draft
from interviews.brain.interview_draft import Drafted
from interviews.models import Criterion, Interview, JobDescription, Question
from interviews.texts import consent
from interviews.texts.languages import of_pages
from voice.errors import VoiceError
from voice.queues import jobs

JOB: Final = "interviews.jobs.draft_interview"
QUEUE: Final = "brain-later"
KEPT: Final = timedelta(days=30)
LOST_AFTER: Final = timedelta(minutes=5)
"""No worker is at it any more: jobs end earlier (`JOB_DEADLINE_S`)."""

Status = JobDescription.Status


def request(
    *,
    organisation: Organisation,
    text: str,
    language: str,
    question_count: int,
    by: User | None,
    now: datetime,
) -> JobDescription:
    """Have an interview drafted from a job description. Only the text is sent to the model.

    Raises:
        BadValue: the organisation does not use the model, or a value is out of bounds.
        WrongState: another job description of the organisation is being drafted from.
    """
    if not follow_ups.is_offered(organisation):
        raise BadValue(_("Your organisation does not use the language model."))
    if language not in guard.languages():
        raise BadValue(_("language: in this one nothing can be drafted."))
    row = JobDescription(
        organisation=organisation,
        text=exchanges.storable(text.strip()),
        language=language,
        question_count=question_count,
        created_by=by,
        created_at=now,
    )
    try:
        row.clean_fields(exclude=JobDescription.FILLED_IN_LATER)
    except ValidationError as error:
        name, [reason, *_further] = next(iter(error.message_dict.items()))
        raise BadValue(f"{name}: {reason}") from error
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise WrongState(
            _("Another interview of your organisation is being drafted. Wait for it.")
        ) from error
    queue(row)
    return row


def again(*, description: JobDescription, by: User | None, now: datetime) -> JobDescription:
    """Try once more with the same job description; return the new try. The one before is kept as it was.

    Raises:
        WrongState: it is under way, or there is a draft.
        BadValue: see `request`.
    """
    if description.status in (*JobDescription.UNDER_WAY, Status.DRAFTED):
        raise WrongState(_("There is a draft already, or it is being written."))
    return request(
        organisation=description.organisation,
        text=description.text,
        language=description.language,
        question_count=description.question_count,
        by=by,
        now=now,
    )


def cancel(*, description: JobDescription, by: object, now: datetime) -> None:
    """Send it to no model. Raises WrongState if it is not waiting any more."""
    waiting = JobDescription.objects.filter(pk=description.pk, status=Status.WAITING)
    if not waiting.update(status=Status.CANCELLED):
        raise WrongState(_("It is not waiting any more."))


def queue(description: JobDescription) -> None:
    """Queue the job that asks the model."""
    owner = f"organisation:{description.organisation_id}"
    jobs.enqueue(QUEUE, JOB, str(description.pk), job_id=f"interview-draft-{description.pk}", tenant=owner)


def _queue_next() -> None:
    waiting = JobDescription.objects.filter(status=Status.WAITING).order_by("created_at").first()
    if waiting is not None:
        queue(waiting)


def draft(*, description_id: UUID) -> None:
    """Ask the model, once, and make a draft of what it answers. Does nothing while another one is at it."""
    claimed = _claimed(description_id)
    if claimed is not None:
        _exchange(claimed)
        _queue_next()


def _claimed(description_id: UUID) -> JobDescription | None:
    """Note what is about to be sent; None if it is not waiting any more, or has to."""
    rows = JobDescription.objects.select_related("organisation")
    row = rows.filter(pk=description_id, status=Status.WAITING).first()
    if row is None:
        return None
    if not follow_ups.is_offered(row.organisation):
        _end(row, status=Status.FAILED, reason="turned_off")
        return None
    prompt = interview_draft.prompt(
        description=row.text, language=row.language, question_count=row.question_count
    )
    row.sent, row.model = prompt.request(settings.LLM_MODEL), settings.LLM_MODEL
    noted = {"sent": row.sent, "model": row.model, "prompt_version": prompt.version}
    waiting = JobDescription.objects.filter(pk=row.pk, status=Status.WAITING)
    try:
        with transaction.atomic():
            is_mine = waiting.update(status=Status.SENT, sent_at=timezone.now(), **noted)
    except IntegrityError:  # another one is at the model; this one follows it
        return None
    return row if is_mine else None


def _exchange(row: JobDescription) -> None:
    """Send it, and keep what came back and what became of it."""
    completion, kept = exchanges.ask(row.sent, is_draft=True)
    if isinstance(completion, VoiceError):
        found = Drafted(reason="not_reached")
    else:
        found = interview_draft.read(completion, language=row.language, question_count=row.question_count)
    left_out = [(exchanges.storable(text), reason) for text, reason in found.left_out]
    _keep(row, found, kept | {"left_out": left_out})


@transaction.atomic
def _keep(row: JobDescription, found: Drafted, kept: dict[str, Any]) -> None:
    """Keep what came. A draft is made of it, unless it was given up meanwhile."""
    locked = JobDescription.objects.select_for_update().filter(pk=row.pk).first()
    if locked is None:
        return  # deleted meanwhile
    if locked.status == Status.SENT:
        kept["reason"] = found.reason
        kept["status"] = Status.FAILED if found.reason == "not_reached" else Status.REFUSED
        if not found.reason:
            kept |= {"status": Status.DRAFTED, "interview": _interview(locked, found)}
    JobDescription.objects.filter(pk=row.pk).update(**kept)


def _interview(row: JobDescription, found: Drafted) -> Interview:
    """Make the draft: questions and rubric are the model's, everything else is as in a new interview."""
    with translation.override(of_pages(row.language)):
        standard_title = _("Draft of an interview")
    interview = Interview.objects.create(
        organisation_id=row.organisation_id,
        title=found.title or standard_title,
        language=row.language,
        consent_text=consent.default_text(row.language),
        created_by_id=row.created_by_id,
    )
    questions = Question.objects.bulk_create(
        Question(interview=interview, position=position, text=text)
        for position, text in enumerate(found.questions, start=1)
    )
    for position, drafted in enumerate(found.criteria, start=1):
        criterion = Criterion.objects.create(
            interview=interview,
            position=position,
            name=drafted.name,
            meaning=drafted.meaning,
            levels=drafted.levels,
        )
        criterion.questions.set(questions[place] for place in drafted.questions)
    interviews.request_speech(interview=interview)
    return interview


def _end(row: JobDescription, *, status: str, reason: str) -> None:
    rows = JobDescription.objects.filter(pk=row.pk, status=row.status)
    rows.update(status=status, reason=reason)


def sweep(*, now: datetime) -> None:
    """End what a dead worker left, queue what waits, and forget what came to nothing long ago."""
    for row in JobDescription.objects.filter(status=Status.SENT, sent_at__lte=now - LOST_AFTER):
        _end(row, status=Status.FAILED, reason="lost")
    _queue_next()
    JobDescription.objects.filter(interview=None, created_at__lte=now - KEPT).delete()
