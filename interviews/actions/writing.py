"""Interviews as other systems write them: fields, questions and rubric in one document.

    writing.create(organisation=organisation, values=values, by=key, now=now)
    writing.change(interview=interview, values=values, by=key, now=now)     # what is not in values stays

values: the fields of `Definition` by their names; `questions`, in order, each with its `id` if it is there
already; `rubric`, the criteria in order, which name questions by their places 1, 2, 3 …
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from accounts.models import Organisation, User
from interviews import states
from interviews.actions import interviews
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Criterion, Interview, Question
from interviews.models.definition import FIELDS
from interviews.models.question import check_script
from interviews.texts import vocabulary
from voice.speech import voices
from voice.text.languages import primary_language

QUESTIONS, RUBRIC = "questions", "rubric"
Values = Mapping[str, Any]


@transaction.atomic
def create(*, organisation: Organisation, values: Values, by: object, now: datetime) -> Interview:
    """Write a draft. Raises BadValue, which names the field."""
    creator = by if isinstance(by, User) else None
    interview = Interview(organisation=organisation, created_by=creator, created_at=now)
    return _write(interview, values, now=now)


@transaction.atomic
def change(*, interview: Interview, values: Values, by: object, now: datetime) -> Interview:
    """Change what is written; candidates get it once it is published.

    Questions and criteria that are not in a list which is given are deleted.

    Raises:
        BadValue: a value is not allowed; it names the field.
        WrongState: the interview is archived.
    """
    locked = Interview.objects.select_for_update(of=("self",), no_key=True).get(pk=interview.pk)
    if locked.status == states.InterviewStatus.ARCHIVED:
        raise WrongState("interview is archived: restore it before you change it.")
    return _write(locked, values, now=now)


def _write(interview: Interview, values: Values, *, now: datetime) -> Interview:
    for name in values.keys() & set(FIELDS):
        setattr(interview, name, values[name])
    _check(interview, values, now)
    interview.save()
    if QUESTIONS in values:
        _write_questions(interview, values[QUESTIONS])
    if RUBRIC in values:
        _write_rubric(interview, values[RUBRIC])
    interviews.request_speech(interview=interview)
    return interview


def _check(interview: Interview, values: Values, now: datetime) -> None:
    """Refuse what no form of ours would take. Raises BadValue."""
    if "vocabulary" in values:
        try:
            interview.vocabulary = vocabulary.tidy(interview.vocabulary)
        except vocabulary.BadVocabulary as error:
            raise BadValue(f"vocabulary: {error}") from error
    if values.get("deadline") and values["deadline"] <= now:
        raise BadValue("deadline: this time is over.")
    if interview.voice and values.keys() & {"voice", "language"}:
        _check_voice(interview)
    _check_model(interview, at="")


def _check_voice(interview: Interview) -> None:
    voice = voices.chosen(interview.voice, among=voices.known())
    if voice is None:
        raise BadValue("voice: there is none of this id.")
    if primary_language(voice.language) != primary_language(interview.language):
        raise BadValue("voice: it does not speak the interview's language.")


def _check_model(row: Model, *, at: str) -> None:
    """Check the columns of a row. at: where it stands in the document, as "questions.0."."""
    try:
        row.clean_fields(exclude=["interview", "organisation", "created_by", "published", "source"])
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise BadValue(f"{at}{name}: {' '.join(messages)}") from error


def _write_questions(interview: Interview, given: Sequence[Values]) -> None:
    present = {question.pk: question for question in interview.questions.all()}
    ids = [each["id"] for each in given if each.get("id") is not None]
    if len(ids) != len(set(ids)) or not present.keys() >= set(ids):
        raise BadValue("questions: an id is there twice, or is of no question of this interview.")
    for place, each in enumerate(given):
        question = present.get(each.get("id") or 0, Question(interview=interview))
        for name in each.keys() - {"id"}:
            setattr(question, name, each[name])
        question.position = place + 1
        _check_script(question, place)
        _check_model(question, at=f"questions.{place}.")
        question.save()
    Question.objects.filter(pk__in=present.keys() - set(ids)).delete()


def _check_script(question: Question, place: int) -> None:
    try:
        check_script(question.scripted_follow_ups)
    except ValidationError as error:
        raise BadValue(f"questions.{place}.scripted_follow_ups: {' '.join(error.messages)}") from error


def _write_rubric(interview: Interview, given: Sequence[Values]) -> None:
    """Write the criteria: those with the name of one that is there change it, so that scores stay with it."""
    questions = list(interview.questions.order_by("position", "id"))
    present = {criterion.name: criterion for criterion in interview.criteria.all()}
    if len({each["name"] for each in given}) != len(given):
        raise BadValue("rubric: two criteria have the same name.")
    for place, each in enumerate(given):
        about = each.get(QUESTIONS, [])
        if not all(1 <= number <= len(questions) for number in about):
            raise BadValue(f"rubric.{place}.questions: there are the questions 1 to {len(questions)}.")
        criterion = present.pop(each["name"], Criterion(interview=interview, name=each["name"]))
        criterion.position, criterion.meaning = place + 1, each.get("meaning", "")
        criterion.levels = each["levels"]
        _check_model(criterion, at=f"rubric.{place}.")
        criterion.save()
        criterion.questions.set(questions[number - 1] for number in about)
    Criterion.objects.filter(pk__in=[each.pk for each in present.values()]).delete()
