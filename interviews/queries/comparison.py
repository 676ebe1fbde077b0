"""Candidates of one interview side by side, question by question."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from interviews.models import Answer, Session
from interviews.queries.answers import AnswerRecord, complete

MOST = 5
"""More columns than these could not be read side by side."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A candidate's answer to a question. record: None if the candidate was not asked."""

    session: Session
    record: AnswerRecord | None

    @property
    def answer(self) -> Answer | None:
        return self.record.answer if self.record else None

    @property
    def is_playable(self) -> bool:
        return self.record is not None and self.record.is_playable

    @property
    def text(self) -> str:
        """What was said, as it is corrected, or typed; as far as it is known."""
        if self.record is None:
            return ""
        return "\n\n".join(filter(None, [self.record.text, self.record.answer.typed_text]))

    @property
    def language(self) -> str:
        definition = self.session.definition
        return definition.language if definition else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One question. cells: in the order of the candidates."""

    question: str
    cells: list[Cell]

    @property
    def count(self) -> int:
        """How many recordings can be listened to in turn."""
        return sum(cell.is_playable for cell in self.cells)


def of(sessions: Sequence[Session]) -> list[Row]:
    """Return the questions that any of them was asked, in the order of the first who was asked."""
    answers = complete(Answer.objects.filter(session__in=sessions)).order_by("position", "session")
    found: dict[Any, dict[Any, AnswerRecord]] = {}
    for answer in answers:
        key = answer.question_id or answer.question_text
        found.setdefault(key, {}).setdefault(answer.session_id, AnswerRecord.of(answer))
    return [
        Row(
            question=next(iter(given.values())).answer.question_text,
            cells=[Cell(session, given.get(session.pk)) for session in sessions],
        )
        for given in found.values()
    ]
