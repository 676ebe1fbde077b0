"""What candidates see of each of their answers: what was heard, and what they said about it themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from interviews.actions.rewording import ADDED_CHARACTERS, LONGER_BY
from interviews.models import Answer, Correction, Session
from interviews.queries import rewording
from interviews.queries.answers import AnswerRecord, complete


@dataclass(frozen=True)
class Heard(AnswerRecord):
    """An answer without the corrections of reviewers: those are part of judging it.

    draft, problem: what the candidate sent and why it was refused; "" if nothing was.
    """

    draft: str = ""
    problem: str = ""

    @classmethod
    def of(cls, answer: Answer) -> Self:
        found = super().of(answer)
        return replace(found, layers=[layer for layer in found.layers if layer.is_by_candidate])

    def refused(self, draft: str, problem: str) -> Self:
        """Return the answer with what was not saved, so that nothing has to be written again."""
        return replace(self, draft=draft, problem=problem)

    @property
    def is_heard(self) -> bool:
        """Whether words were heard, which may be wrong."""
        return bool(self.is_transcribed and self.transcript and self.transcript.text)

    @property
    def digest(self) -> str:
        """Names the text that is shown."""
        return rewording.digest(self.transcript, self.layers) if self.transcript else ""

    @property
    def most_characters(self) -> int:
        """A text box takes no more than would be saved."""
        length = len(self.transcript.text) if self.transcript else 0
        return max(len(self.text), int(LONGER_BY * length) + ADDED_CHARACTERS)

    @property
    def own(self) -> list[Correction]:
        """The candidate's corrections that are in force, in the order of the words."""
        return [one.correction for one in self.stretches if one.correction]


def answers_of(session: Session) -> Iterator[Heard]:
    """Return the answers in order, follow-ups after their question."""
    rows = complete(session.answers.order_by("position", "follow_up"))
    return (Heard.of(answer) for answer in rows.exclude(status=Answer.Status.PENDING))
