"""What happened in an interview that a reviewer may want to know: plain facts with times, never a score."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from interviews.models import Answer, Session


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. answer: its position, or None where it concerns the whole interview."""

    at: datetime | None
    text: str
    answer: int | None = None


def facts_of(session: Session, answers: Iterable[Answer]) -> list[Fact]:
    """Return the facts of an interview, in the order in which they happened."""
    found = [Fact(row.happened_at, row.get_kind_display()) for row in session.observations.all()]
    found += [fact for answer in answers for fact in _of_answer(answer)]
    return sorted(found, key=lambda fact: (fact.at is None, fact.at))


def _of_answer(answer: Answer) -> Iterator[Fact]:
    if answer.asked_again_at is not None:
        text = _("Asked again: nothing was heard until the limit.")  # for how long tells an accommodation
        yield Fact(answer.asked_again_at, text, answer.position)
    if answer.is_silent:
        text = _("Nothing was heard until the limit, the second time too. The answer is kept as it is.")
        yield Fact(answer.completed_at, text, answer.position)
    if answer.typed_text:
        yield Fact(answer.completed_at, _("Typed instead of spoken."), answer.position)
