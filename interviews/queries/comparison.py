"""Candidates of one interview side by side, question by question."""

from collections.abc import Mapping, Sequence
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
    follow_ups: "Sequence[Cell]" = ()

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
        return sum(each.is_playable for cell in self.cells for each in (cell, *cell.follow_ups))


def of(sessions: Sequence[Session]) -> list[Row]:
    """Return the questions that any of them was asked, in the order of the first who was asked."""
    rows = complete(Answer.objects.filter(session__in=sessions))
    found: dict[Any, dict[Any, AnswerRecord]] = {}
    follow_ups: dict[Any, list[AnswerRecord]] = {}
    for answer in rows.order_by("position", "follow_up", "session"):
        record = AnswerRecord.of(answer)
        if answer.kind == Answer.Kind.FOLLOW_UP:
            follow_ups.setdefault((answer.session_id, answer.position), []).append(record)
        else:
            key = answer.question_id or answer.question_text
            found.setdefault(key, {}).setdefault(answer.session_id, record)
    return [
        Row(
            question=next(iter(given.values())).answer.question_text,
            cells=[_cell(session, given.get(session.pk), follow_ups) for session in sessions],
        )
        for given in found.values()
    ]


def _cell(
    session: Session, record: AnswerRecord | None, follow_ups: Mapping[Any, Sequence[AnswerRecord]]
) -> Cell:
    asked_then = follow_ups.get((session.pk, record.answer.position), ()) if record else ()
    return Cell(session, record, [Cell(session, each) for each in asked_then])
