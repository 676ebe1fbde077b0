"""Publishing interviews: what candidates get is a frozen version of what was written.

    versions.problems(interview)      # why no candidate could finish it as it is; empty: it can be published
    versions.publish(interview=interview, by=user, now=now)

An edit changes nothing for candidates until it is published. They keep the version they agreed to.
"""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from interviews import states
from interviews.actions import follow_ups, interviews, rubrics
from interviews.actions.errors import BadValue
from interviews.actions.transitions import move
from interviews.brain import guard, language_model
from interviews.models import Criterion, Interview, InterviewVersion, Question
from interviews.models.definition import FIELDS
from interviews.models.rubric import RubricCriterion, frozen_criterion
from interviews.models.version import frozen
from interviews.texts import consent
from voice.speech import voices
from voice.text.languages import primary_language

COPY_OF = 180
"""Of a title, so many characters fit beside the words for a copy."""


def problems(interview: Interview) -> list[str]:
    """Return why a candidate could not finish the interview as it is written; empty if one can."""
    found = []
    if not interview.questions.exists():
        found.append(_("It has no questions. Add one."))
    texts = [text for each in interview.questions.all() for text in (each.text, *each.scripted_follow_ups)]
    if not all(text.strip() for text in texts):
        found.append(_("A question has no text."))
    if not interview.consent_text.strip():
        found.append(_("It has no consent text, and nothing is recorded without consent."))
    voice = voices.chosen(interview.voice, among=voices.known()) if interview.voice else None
    if voice is not None and primary_language(voice.language) != primary_language(interview.language):
        found.append(_("Its voice does not speak its language. Choose another one."))
    if interview.deadline and interview.deadline <= timezone.now():
        found.append(_("Its deadline is over. Choose a later one."))
    found += _problems_of_follow_ups(interview) + _problems_of_draft_evaluation(interview)
    return found + rubrics.problems([RubricCriterion(**each) for each in _rubric(interview)])


def _problems_of_follow_ups(interview: Interview) -> list[str]:
    """Return why follow-up questions that it wants cannot be asked, where there is a model for them."""
    is_wanted = interview.questions.filter(follow_ups__gt=0).exists()
    if not is_wanted or not follow_ups.is_offered(interview.organisation):
        return []
    found = []
    if interview.language not in guard.languages():
        found.append(_("In its language there are no follow-up questions. Set them to 0."))
    if not language_model.is_named_in(interview.consent_text):
        sentence = consent.of_language_model(interview.language, settings.LLM_NAME)
        found.append(
            _(
                "Its consent text does not say who gets the answers to ask follow-up questions. Set the "
                "follow-ups to 0, or add: “%s”"
            )
            % sentence
        )
    return found


def _problems_of_draft_evaluation(interview: Interview) -> list[str]:
    """Return why levels that are to be suggested cannot be, where there is a model for it."""
    if not interview.is_evaluation_drafted or not follow_ups.is_offered(interview.organisation):
        return []
    found = []
    if interview.language not in guard.languages():
        found.append(_("In its language no levels can be suggested. Switch the suggestions off."))
    if not interview.criteria.exists():
        found.append(_("Levels are to be suggested, but it has no rubric. Add criteria, or switch it off."))
    if not consent.names_draft_evaluation(interview.consent_text, settings.LLM_NAME):
        sentence = consent.of_draft_evaluation(interview.language, settings.LLM_NAME)
        found.append(
            _(
                "Its consent text does not say that a language model suggests levels. Switch the suggestions "
                "off, or add exactly this: “%s”"
            )
            % sentence
        )
    return found


@transaction.atomic
def publish(*, interview: Interview, by: object, now: datetime) -> InterviewVersion:
    """Freeze the interview as the version that candidates get from now on; return it.

    Where nothing has changed since the last version, that is returned.

    Raises:
        BadValue: a candidate could not finish it; the detail says why.
        WrongState: it is archived.
    """
    rows = Interview.objects.select_for_update(of=("self",), no_key=True).select_related("published")
    locked = rows.get(pk=interview.pk)
    if found := problems(locked):
        raise BadValue(" ".join(found))
    version = locked.published
    if version is None or has_changes(locked):
        version = _frozen(locked, number=_next_number(locked), by=by, now=now)
    if locked.status == states.InterviewStatus.PUBLISHED:
        Interview.objects.filter(pk=locked.pk).update(published=version)
    else:
        move(locked, states.PUBLISH, by=by, published=version)
    interview.status, interview.published = locked.status, version
    interviews.request_speech(interview=interview)
    return version


def has_changes(interview: Interview) -> bool:
    """Whether candidates get something else than what is written."""
    version = interview.published
    return version is None or written(interview) != written(version)


def written(of: Interview | InterviewVersion) -> dict[str, Any]:
    """Return everything that a version keeps, by its field's name."""
    asked = of.asked if isinstance(of, InterviewVersion) else of.questions.all()
    listed = [frozen(each) for each in asked]
    kept = {name: _plain(getattr(of, name)) for name in FIELDS if name != "stand_in_voice"}
    if not isinstance(of, InterviewVersion):
        kept["retention_days"] = of.kept_days
    parts = {"questions": listed, "rubric": _rubric(of)}
    return kept | {
        part: [{name: _plain(value) for name, value in each.items()} for each in rows]
        for part, rows in parts.items()
    }


def _rubric(of: Interview | InterviewVersion) -> list[dict[str, Any]]:
    if isinstance(of, InterviewVersion):
        return of.rubric
    return [frozen_criterion(each) for each in of.criteria.prefetch_related("questions")]


def _plain(value: Any) -> Any:
    """Return a value, a text with the line ends that it had before a browser sent it."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def freeze_for_trial(*, interview: Interview, by: object, now: datetime) -> InterviewVersion:
    """Freeze what is written for somebody who tries it. Raises BadValue, as `publish`."""
    if found := problems(interview):
        raise BadValue(" ".join(found))
    return _frozen(interview, number=None, by=by, now=now)


def archive(*, interview: Interview, by: object, now: datetime) -> None:
    """Invite nobody more. Links that are out go on working. Raises WrongState if it is archived."""
    move(interview, states.ARCHIVE, by=by)


def restore(*, interview: Interview, by: object, now: datetime) -> None:
    """Make an archived interview a draft again, to be published. Raises WrongState if it is not archived."""
    move(interview, states.RESTORE, by=by)


@transaction.atomic
def duplicate(*, interview: Interview, by: object, now: datetime) -> Interview:
    """Copy what is written, with questions and rubric, as a draft of the same organisation; return it."""
    questions = list(interview.questions.all())
    criteria = list(interview.criteria.prefetch_related("questions"))
    copy = Interview(
        id=uuid4(),
        organisation_id=interview.organisation_id,
        created_by=by if isinstance(by, User) else None,
        created_at=now,
        **{name: getattr(interview, name) for name in FIELDS if name != "stand_in_voice"},
    )
    copy.title = _("%(title)s (copy)") % {"title": interview.title[:COPY_OF]}
    copy.save()
    copies = {}
    for question in questions:
        copies[question.pk] = question
        question.pk, question.interview = None, copy
    Question.objects.bulk_create(questions)
    _copy_rubric(criteria, to=copy, questions=copies)
    interviews.request_speech(interview=copy)
    return copy


def _copy_rubric(criteria: list[Criterion], *, to: Interview, questions: dict[int, Question]) -> None:
    """Copy the criteria, each about the copies of its questions."""
    for criterion in criteria:
        about = [questions[question.pk] for question in criterion.questions.all()]
        copy = Criterion.objects.create(
            interview=to,
            position=criterion.position,
            name=criterion.name,
            meaning=criterion.meaning,
            levels=criterion.levels,
        )
        copy.questions.set(about)


def publish_missing(*, now: datetime) -> int:
    """Publish what processes of the release before have made, which knows no versions; return how many."""
    count = 0
    unknown = Interview.objects.filter(status=states.InterviewStatus.PUBLISHED, published=None)
    for interview in unknown.filter(questions__isnull=False).distinct()[:100]:
        with transaction.atomic():
            version = _frozen(interview, number=_next_number(interview), by=None, now=now)
            Interview.objects.filter(pk=interview.pk, published=None).update(published=version)
        count += 1
    return count


def _next_number(interview: Interview) -> int:
    last = interview.versions.filter(number__isnull=False).order_by("-number").first()
    return last.number + 1 if last and last.number else 1


def _frozen(interview: Interview, *, number: int | None, by: object, now: datetime) -> InterviewVersion:
    return InterviewVersion.objects.create(
        interview=interview,
        number=number,
        published_by=by if isinstance(by, User) else None,
        published_at=now,
        stand_in_voice=interview.stand_in_voice,
        **written(interview),
    )
