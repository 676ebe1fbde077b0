"""Which groups candidates may say they belong to: the questions with their choices.

An organisation writes its own, a question a line and each choice below it on a line that begins with `-`.
Without them the categories of the EEO-1 report are asked.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from voice.text.normalisation import normalise

SIGN: Final = "-"
MAX_QUESTIONS: Final = 5
MAX_CHOICES: Final = 20
MAX_CHARS: Final = 200
"""Of a question or a choice."""


class GroupChoice(NamedTuple):
    """key: what is kept and counted."""

    key: str
    text: str | Promise


class GroupQuestion(NamedTuple):
    """A page translates the texts: its language may be another than that of the request."""

    key: str
    text: str | Promise
    choices: Sequence[GroupChoice]


class BadGroups(ValueError):
    """They can't be asked as they are written. The message says why, and which line."""


SEX: Final = "eeo1.sex"
RACE: Final = "eeo1.race"
CROSSED: Final = (SEX, RACE)
"""Counted together as well, because the rule asks for each combination."""
NEITHER: Final = "eeo1.neither"
"""A choice that is offered for courtesy; the report has no such category, so it counts as not said."""

EEO1: Final = (
    GroupQuestion(
        SEX,
        gettext_lazy("What is your sex?"),
        (
            GroupChoice("eeo1.female", gettext_lazy("Female")),
            GroupChoice("eeo1.male", gettext_lazy("Male")),
            GroupChoice(NEITHER, gettext_lazy("Neither of these describes me")),
        ),
    ),
    GroupQuestion(
        RACE,
        gettext_lazy("What is your race or ethnicity?"),
        (
            GroupChoice("eeo1.hispanic", gettext_lazy("Hispanic or Latino, of any race")),
            GroupChoice("eeo1.white", gettext_lazy("White")),
            GroupChoice("eeo1.black", gettext_lazy("Black or African American")),
            GroupChoice("eeo1.pacific", gettext_lazy("Native Hawaiian or Pacific Islander")),
            GroupChoice("eeo1.asian", gettext_lazy("Asian")),
            GroupChoice("eeo1.native", gettext_lazy("Native American or Alaska Native")),
            GroupChoice("eeo1.several", gettext_lazy("Two or more races")),
        ),
    ),
)
"""Source: component 1 of the EEO-1 report, to which 6 RCNY § 5-300 ("category") refers.

All but the first of the races are without Hispanic or Latino.
"""

_KNOWN: Final = {question.key: question.text for question in EEO1} | {
    choice.key: choice.text for question in EEO1 for choice in question.choices
}


def name_of(key: str) -> str | Promise:
    """Return the text of a question or choice by its key. What an organisation wrote is its own key."""
    return _KNOWN.get(key, key)


def questions(text: str) -> Sequence[GroupQuestion]:
    """Return the questions that an organisation wrote; those of EEO-1 if it wrote none."""
    found: list[GroupQuestion] = []
    for line in filter(None, map(normalise, text.splitlines())):
        if not line.startswith(SIGN):
            found.append(GroupQuestion(line, line, ()))
        elif found and (choice := normalise(line.lstrip(SIGN))):
            last = found.pop()
            found.append(last._replace(choices=(*last.choices, GroupChoice(choice, choice))))
    return found or EEO1


def tidy(text: str) -> str:
    """Return what an organisation wrote in the form in which it is kept.

    Raises:
        BadGroups: too many, too long, twice, or a question without choices.
    """
    lines = [line for line in map(normalise, text.splitlines()) if line]
    if not lines:
        return ""
    if lines[0].startswith(SIGN):
        raise BadGroups(_("“%(line)s”: write the question on a line above its choices.") % {"line": lines[0]})
    if too_long := [line for line in lines if len(line) > MAX_CHARS]:
        raise BadGroups(
            _("“%(line)s…”: at most %(most)d characters.") % {"line": too_long[0][:20], "most": MAX_CHARS}
        )
    asked = questions(text)
    if len(asked) > MAX_QUESTIONS:
        raise BadGroups(
            _("%(n)d questions are too many: at most %(most)d.") % {"n": len(asked), "most": MAX_QUESTIONS}
        )
    _refuse_twice([str(each.text) for each in asked])
    return "\n\n".join(_written(each) for each in asked)


def _written(question: GroupQuestion) -> str:
    """Return a question as it is kept. Raises BadGroups."""
    choices = [str(each.text) for each in question.choices]
    if not 2 <= len(choices) <= MAX_CHOICES:
        raise BadGroups(
            _("“%(question)s”: write 2 to %(most)d choices below it, each on a line that begins with -.")
            % {"question": question.text, "most": MAX_CHOICES}
        )
    _refuse_twice(choices)
    return "\n".join([str(question.text), *(f"{SIGN} {choice}" for choice in choices)])


def _refuse_twice(texts: Sequence[str]) -> None:
    for n, text in enumerate(texts):
        if text in texts[:n]:
            raise BadGroups(_("“%(text)s” stands there twice.") % {"text": text})
        if text in _KNOWN:
            raise BadGroups(_("“%(text)s” is a name of this platform: write it otherwise.") % {"text": text})
