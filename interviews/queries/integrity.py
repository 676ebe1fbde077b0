"""What happened in an interview that a reader may want to know: plain facts with times, never a score.

One list for the review page, the PDF and the JSON. No fact says how long a candidate could think or speak:
that would tell of an accommodation (docs/adr/0029). Of candidates who have one the page notices nothing, and
what it noticed before is not told (docs/adr/0042).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from interviews.models import Answer, Observation, Session


class FactKind(StrEnum):
    """What can happen. Programs rely on these values; docs/exports.md says what they mean."""

    ASKED_AGAIN = "asked_again"
    SILENT = "silent"
    TYPED = "typed"
    RECONNECTED = Observation.Kind.RECONNECTED.value
    OPENED_AGAIN = Observation.Kind.OPENED_AGAIN.value
    LEFT_PAGE = Observation.Kind.LEFT_PAGE.value
    PASTED = Observation.Kind.PASTED.value
    SECOND_SCREEN = Observation.Kind.SECOND_SCREEN.value


TEXTS: Final = {
    FactKind.ASKED_AGAIN: _("Asked again: nothing was heard until the limit."),
    FactKind.SILENT: _(
        "Nothing was heard until the limit, the second time too. The answer is kept as it is."
    ),
    FactKind.TYPED: _("Typed instead of spoken."),
    **{FactKind(kind.value): kind.label for kind in Observation.Kind},
}

NOTICED: Final = (Observation.Kind.LEFT_PAGE, Observation.Kind.PASTED, Observation.Kind.SECOND_SCREEN)
"""What the page notices."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened.

    answer: None where it concerns the whole interview.
    seconds: how long the page was left; None as long as it was not seen coming back.
    characters: how many were pasted.
    """

    kind: FactKind
    at: datetime | None
    answer: Answer | None = None
    seconds: int | None = None
    characters: int | None = None

    @property
    def number(self) -> str:
        return self.answer.number if self.answer else ""

    @property
    def text(self) -> str:
        if self.seconds is not None:
            return gettext("Left the page for %(length)s.") % {"length": _length(self.seconds)}
        if self.characters is not None:
            pasted = ngettext(
                "Pasted %(n)d character into the written answer.",
                "Pasted %(n)d characters into the written answer.",
                self.characters,
            )
            return pasted % {"n": self.characters}
        return str(TEXTS[self.kind])


def facts_of(session: Session, answers: Sequence[Answer]) -> list[Fact]:
    """Return the facts of an interview, in the order in which they happened."""
    by_id: dict[UUID | None, Answer] = {answer.pk: answer for answer in answers}
    left_out = () if session.invitation.accommodation_id is None else NOTICED
    rows = [row for row in session.observations.all() if row.kind not in left_out]
    found = [_observed(row, by_id.get(row.answer_id)) for row in rows]
    found += [fact for answer in answers for fact in _of_answer(answer)]
    return sorted(found, key=lambda fact: (fact.at is None, fact.at))


def _observed(row: Observation, answer: Answer | None) -> Fact:
    seconds = max(1, round((row.ended_at - row.happened_at).total_seconds())) if row.ended_at else None
    return Fact(FactKind(row.kind), row.happened_at, answer, seconds, row.characters)


def _length(seconds: int) -> str:
    """Return 12 s, or 3 min 5 s."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _of_answer(answer: Answer) -> Iterator[Fact]:
    if answer.asked_again_at is not None:
        yield Fact(FactKind.ASKED_AGAIN, answer.asked_again_at, answer)
    if answer.is_silent:
        yield Fact(FactKind.SILENT, answer.completed_at, answer)
    if answer.typed_text:
        yield Fact(FactKind.TYPED, answer.completed_at, answer)
