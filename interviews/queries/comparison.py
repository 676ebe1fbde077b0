"""Candidates of one interview side by side, question by question."""

from collections.abc import Sequence
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
        return sum(cell.is_playable for cell in self.cells)


def of(sessions: Sequence[Session]) -> list[Row]:
    """Return the questions that any of them was asked, in the order of the first who was asked."""
    answers = Answer.objects.filter(session__in=sessions, kind=Answer.Kind.QUESTION)
    found: dict[Any, dict[Any, Answer]] = {}
    for answer in answers.select_related("recording__transcript").order_by("position", "session"):
        key = answer.question_id or answer.question_text
        found.setdefault(key, {}).setdefault(answer.session_id, answer)
    return [
        Row(
            question=next(iter(given.values())).question_text,
            cells=[Cell(session, given.get(session.pk)) for session in sessions],
        )
        for given in found.values()
    ]
