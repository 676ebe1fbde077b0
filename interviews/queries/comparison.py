"""Candidates of one interview side by side, question by question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interviews.models import Answer, Session
from voice.models import Recording, Transcript

MOST = 5
"""More columns than these could not be read side by side."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A candidate's answer to a question. answer: None if the candidate was not asked."""

    session: Session
    answer: Answer | None
    follow_ups: "Sequence[Cell]" = ()

    @property
    def is_playable(self) -> bool:
        recording = self.answer and self.answer.recording
        return bool(recording and recording.status == Recording.Status.STORED)

    @property
    def text(self) -> str:
        """What was said or typed, as far as it is known."""
        if self.answer is None:
            return ""
        transcript = getattr(self.answer.recording, "transcript", None)
        said = transcript.text if transcript and transcript.status == Transcript.Status.DONE else ""
        return "\n\n".join(filter(None, [said, self.answer.typed_text]))

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
    answers = Answer.objects.filter(session__in=sessions).exclude(kind=Answer.Kind.PRACTICE)
    found: dict[Any, dict[Any, Answer]] = {}
    follow_ups: dict[Any, list[Answer]] = {}
    for answer in answers.select_related("recording__transcript").order_by(
        "position", "follow_up", "session"
    ):
        if answer.kind == Answer.Kind.FOLLOW_UP:
            follow_ups.setdefault((answer.session_id, answer.position), []).append(answer)
        else:
            key = answer.question_id or answer.question_text
            found.setdefault(key, {}).setdefault(answer.session_id, answer)
    return [
        Row(
            question=next(iter(given.values())).question_text,
            cells=[_cell(session, given.get(session.pk), follow_ups) for session in sessions],
        )
        for given in found.values()
    ]


def _cell(session: Session, answer: Answer | None, follow_ups: Mapping[Any, Sequence[Answer]]) -> Cell:
    asked_then = follow_ups.get((session.pk, answer.position), ()) if answer else ()
    return Cell(session, answer, [Cell(session, each) for each in asked_then])
