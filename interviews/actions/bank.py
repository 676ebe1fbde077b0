"""The question bank: questions that an organisation keeps, and copies of them in interviews.

    bank.pick(interview=interview, questions=chosen, by=user, now=now)     # copies them behind the others
    bank.keep(question=question, by=user, now=now)                         # an interview's question goes in

A copy is the interview's own: a change of it, or of the bank's question, changes nothing in the other.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.models import Organisation, User
from interviews import states
from interviews.actions import interviews
from interviews.actions.errors import BadValue, WrongState
from interviews.models import BankQuestion, Interview, Question, Vocabulary
from interviews.texts import tags, vocabulary
from voice.models import Speech
from voice.speech import rendering
from voice.speech.names import text_name
from voice.text.pronunciation import pronounced

COPIED = ("text", "think_seconds", "answer_limit_seconds", "retakes")


@transaction.atomic
def pick(
    *, interview: Interview, questions: Sequence[BankQuestion], by: object, now: datetime
) -> list[Question]:
    """Copy questions of the bank into an interview, behind those it has, in this order; return the copies.

    Raises:
        BadValue: one of them is of another organisation, in another language, or in the interview already.
        WrongState: the interview is archived.
    """
    locked = Interview.objects.select_for_update(of=("self",), no_key=True).get(pk=interview.pk)
    if locked.status == states.InterviewStatus.ARCHIVED:
        raise WrongState(_("An archived interview gets no questions. Restore it first."))
    if any(each.organisation_id != locked.organisation_id for each in questions):
        raise BadValue(_("This question is not in your organisation's bank."))
    if any(each.language != locked.language for each in questions):
        raise BadValue(_("This question is in another language than the interview."))
    present = set(locked.questions.values_list("source", flat=True))
    if any(each.pk in present for each in questions):
        raise BadValue(_("This question is in the interview already."))
    last = locked.questions.aggregate(last=Max("position"))["last"] or 0
    copies = [
        Question(
            interview=locked,
            position=place,
            source=each,
            **{name: getattr(each, name) for name in COPIED},
        )
        for place, each in enumerate(questions, start=last + 1)
    ]
    made = Question.objects.bulk_create(copies)
    interviews.request_speech(interview=locked)
    return made


@transaction.atomic
def keep(*, question: Question, by: object, now: datetime) -> BankQuestion:
    """Put a question of an interview into its organisation's bank; return it there.

    One that is in the bank already stays as it is there.
    """
    locked = Question.objects.select_for_update(of=("self",)).select_related("interview").get(pk=question.pk)
    if locked.source:
        return locked.source
    kept = BankQuestion.objects.create(
        organisation_id=locked.interview.organisation_id,
        language=locked.interview.language,
        created_by=by if isinstance(by, User) else None,
        created_at=now,
        **{name: getattr(locked, name) for name in COPIED},
    )
    Question.objects.filter(pk=locked.pk).update(source=kept)
    question.source = kept
    request_speech(question=kept)
    return kept


def add(*, organisation: Organisation, values: Mapping[str, Any], by: object, now: datetime) -> BankQuestion:
    """Add a question to the bank; return it. values: its columns, tags and competencies as lists."""
    creator = by if isinstance(by, User) else None
    question = BankQuestion(organisation=organisation, created_by=creator, created_at=now)
    return _write(question, values)


def change(*, question: BankQuestion, values: Mapping[str, Any], by: object, now: datetime) -> BankQuestion:
    """Change a question of the bank; its copies stay as they are. Raises BadValue, which names the column."""
    return _write(question, values)


def remove(*, question: BankQuestion, by: object, now: datetime) -> None:
    """Take a question out of the bank; its copies stay."""
    question.delete()


@transaction.atomic
def _write(question: BankQuestion, values: Mapping[str, Any]) -> BankQuestion:
    for name, value in values.items():
        setattr(question, name, tags.tidy(", ".join(value)) if isinstance(value, list) else value)
    try:
        question.clean_fields(exclude=["organisation", "created_by"])
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise BadValue(f"{name}: {' '.join(messages)}") from error
    question.save()
    request_speech(question=question)
    return question


def request_speech(*, question: BankQuestion) -> Speech:
    """Have a question of the bank spoken by the best voice of its language."""
    [row] = rendering.request(
        texts=[question.text],
        language=question.language,
        tenant=question.owner,
        pronunciations=vocabulary.pronunciations(_vocabulary(question)),
    )
    return row


def speech_name(question: BankQuestion) -> str:
    """Return the name of the speech of a question of the bank."""
    return _name(question, _vocabulary(question))


def speech_names(questions: Collection[BankQuestion]) -> dict[int, str]:
    """Return the names of the speech of these questions, by their ids."""
    of = {question.organisation_id for question in questions}
    rows = Vocabulary.objects.filter(organisation__in=of).values_list("organisation", "language", "text")
    texts = {(organisation, language): text for organisation, language, text in rows}
    return {each.pk: _name(each, texts.get((each.organisation_id, each.language), "")) for each in questions}


def _name(question: BankQuestion, text: str) -> str:
    said = pronounced(question.text, vocabulary.pronunciations(text))
    return text_name(said, voice="", language=question.language, tenant=question.owner)


def _vocabulary(question: BankQuestion) -> str:
    return Vocabulary.text_of(question.organisation_id, question.language)
