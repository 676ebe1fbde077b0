"""Differences between versions of an interview, as people read them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from interviews.models import InterviewVersion, Question
from interviews.models.rubric import RubricCriterion
from interviews.models.version import AskedQuestion
from voice.text.differences import compared

NAMES = ("think_seconds", "answer_limit_seconds", "retakes", "follow_ups", "scripted_follow_ups")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a text. kind: "same", "gone" or "new"."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What is different in one field or question. before, after: "" where there is none."""

    label: str
    before: str
    after: str

    @property
    def pieces(self) -> list[Piece]:
        """Both texts in one, word by word."""
        before, after = self.before.split(), self.after.split()
        found = []
        for part in compared(before, after):
            kinds = [("same", before[part.before])]
            if not part.is_same:
                kinds = [("gone", before[part.before]), ("new", after[part.after])]
            found += [Piece(kind, " ".join(words)) for kind, words in kinds if words]
        return found


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return what is different between two states that `actions.versions.written` returned."""
    return [
        *_of_fields(before, after),
        *_of_questions(before["questions"], after["questions"]),
        *_of_rubric(before, after),
    ]


def _of_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in before:
        if name not in ("questions", "rubric") and before[name] != after[name]:
            field: Any = InterviewVersion._meta.get_field(name)  # noqa: SLF001  a documented name
            shown = (_shown(field, state[name]) for state in (before, after))
            yield Difference(capfirst(str(field.verbose_name)), *shown)


def _shown(field: Any, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None:
        return ""
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
    return str(dict(field.flatchoices).get(value, value))


def _of_questions(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[Difference]:
    """Compare each question with itself, wherever it stands now, then their order."""
    were = {question["id"]: AskedQuestion(**question) for question in before}
    are = {question["id"]: AskedQuestion(**question) for question in after}
    for number, (key, question) in enumerate(are.items(), start=1):
        label = _("Question %(number)d") % {"number": number}
        if key not in were:
            yield Difference(label, "", question.text)
        elif were[key] != question:
            yield from _of_question(label, were[key], question)
    for number, (key, question) in enumerate(were.items(), start=1):
        if key not in are:
            yield Difference(_("Question %(number)d before") % {"number": number}, question.text, "")
    kept_before, kept_after = [key for key in were if key in are], [key for key in are if key in were]
    if kept_before != kept_after:
        places = {key: place for place, key in enumerate(were, start=1)}
        order = [", ".join(str(places[key]) for key in keys) for keys in (kept_before, kept_after)]
        yield Difference(_("Order of the questions"), *order)


def _of_question(label: str, before: AskedQuestion, after: AskedQuestion) -> Iterator[Difference]:
    if before.text != after.text:
        yield Difference(label, before.text, after.text)
    for name in NAMES:
        were, are = (_as_text(getattr(question, name)) for question in (before, after))
        if were != are:
            field: Any = Question._meta.get_field(name)  # noqa: SLF001  a documented name
            yield Difference(f"{label}: {field.verbose_name}", were, are)


def _as_text(value: int | Sequence[str]) -> str:
    return str(value) if isinstance(value, int) else "\n".join(value)


def _of_rubric(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare each criterion with itself, line by line, then their order."""
    were, are = (_criteria(state) for state in (before, after))
    for key in [*are, *(key for key in were if key not in are)]:
        name = (are.get(key) or were[key])[0][1]
        lines_before, lines_after = dict(were.get(key, [])), dict(are.get(key, []))
        for label in lines_before | lines_after:
            pair = lines_before.get(label, ""), lines_after.get(label, "")
            if pair[0] != pair[1]:
                yield Difference(f"{name}: {label}", *pair)
    kept_before, kept_after = [key for key in were if key in are], [key for key in are if key in were]
    if kept_before != kept_after:
        order = [", ".join(are[key][0][1] for key in keys) for keys in (kept_before, kept_after)]
        yield Difference(_("Order of the criteria"), *order)


def _criteria(state: Mapping[str, Any]) -> dict[int, list[tuple[str, str]]]:
    """Return each criterion of a state as lines that people read, the name first."""
    numbers = {question["id"]: str(n) for n, question in enumerate(state["questions"], start=1)}
    return {each["id"]: _lines(RubricCriterion(**each), numbers) for each in state["rubric"]}


def _lines(criterion: RubricCriterion, numbers: Mapping[int, str]) -> list[tuple[str, str]]:
    about = [numbers[key] for key in criterion.questions if key in numbers]
    levels = [(_("level %d") % level, sentence) for level, sentence in criterion.anchors]
    return [
        (_("criterion"), criterion.name),
        (_("what it means"), criterion.meaning),
        (_("questions about it"), ", ".join(about) or _("all")),
        *levels,
    ]
