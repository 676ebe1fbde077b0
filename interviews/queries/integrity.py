"""What happened in an interview that a reader may want to know: plain facts with times, never a score.

One list for the review page, the PDF and the JSON. No fact says how long a candidate could think or speak:
that would tell of an accommodation (docs/adr/0029).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_lazy as _

from interviews.models import Answer, Observation, Session


class FactKind(StrEnum):
    """What can happen. Programs rely on these values; docs/exports.md says what they mean."""

    ASKED_AGAIN = "asked_again"
    SILENT = "silent"
    TYPED = "typed"
    RECONNECTED = Observation.Kind.RECONNECTED.value
    OPENED_AGAIN = Observation.Kind.OPENED_AGAIN.value


TEXTS: Final = {
    FactKind.ASKED_AGAIN: _("Asked again: nothing was heard until the limit."),
    FactKind.SILENT: _(
        "Nothing was heard until the limit, the second time too. The answer is kept as it is."
    ),
    FactKind.TYPED: _("Typed instead of spoken."),
    **{FactKind(kind.value): kind.label for kind in Observation.Kind},
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. answer: None where it concerns the whole interview."""

    kind: FactKind
    at: datetime | None
    answer: Answer | None = None

    @property
    def number(self) -> str:
        return self.answer.number if self.answer else ""

    @property
    def text(self) -> str:
        return str(TEXTS[self.kind])


def facts_of(session: Session, answers: Iterable[Answer]) -> list[Fact]:
    """Return the facts of an interview, in the order in which they happened."""
    found = [Fact(FactKind(row.kind), row.happened_at) for row in session.observations.all()]
    found += [fact for answer in answers for fact in _of_answer(answer)]
    return sorted(found, key=lambda fact: (fact.at is None, fact.at))


def _of_answer(answer: Answer) -> Iterator[Fact]:
    if answer.asked_again_at is not None:
        yield Fact(FactKind.ASKED_AGAIN, answer.asked_again_at, answer)
    if answer.is_silent:
        yield Fact(FactKind.SILENT, answer.completed_at, answer)
    if answer.typed_text:
        yield Fact(FactKind.TYPED, answer.completed_at, answer)
