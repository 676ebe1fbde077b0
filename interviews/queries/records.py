"""Everything that is kept of one candidate's interview, read for an export."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce

from interviews.models import Answer, InterviewVersion, Invitation, Session
from voice.models import Recording, Transcript

CHUNK = 1000
"""Rows that are read at once where many are exported."""


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer with its recording and its transcript, where they exist."""

    answer: Answer
    recording: Recording | None
    transcript: Transcript | None

    @property
    def is_transcribed(self) -> bool:
        """Whether the transcript is complete."""
        return self.transcript is not None and self.transcript.status == Transcript.Status.DONE


class FactKind(StrEnum):
    ASKED_AGAIN = "asked_again"
    SILENT = "silent"
    TYPED = "typed"


class Fact(NamedTuple):
    """Something that happened in an interview, without a judgement."""

    answer: Answer
    kind: FactKind
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """A candidate's interview: what was agreed to, what was asked, and what was answered."""

    session: Session
    answers: Sequence[AnswerRecord]

    @property
    def invitation(self) -> Invitation:
        return self.session.invitation

    @property
    def version(self) -> InterviewVersion:
        """The interview as the candidate agreed to it."""
        return self.session.agreed

    @property
    def facts(self) -> Iterator[Fact]:
        """What the platform noticed while the interview was taken, in the order of the questions."""
        for answer in (each.answer for each in self.answers):
            if answer.asked_again_at is not None:
                yield Fact(answer, FactKind.ASKED_AGAIN, answer.asked_again_at)
            if answer.is_silent:
                yield Fact(answer, FactKind.SILENT, answer.completed_at)
            if answer.typed_text:
                yield Fact(answer, FactKind.TYPED, answer.completed_at)


def of(session_id: UUID) -> Record:
    """Read a candidate's interview in two statements. Raises Session.DoesNotExist."""
    related = ("invitation__interview__organisation", "invitation__interview__published", "definition")
    session = Session.objects.select_related(*related).get(pk=session_id)
    rows = session.answers.exclude(kind=Answer.Kind.PRACTICE).order_by("position", "follow_up")
    return Record(session, [_of(answer) for answer in rows.select_related("recording__transcript")])


def _of(answer: Answer) -> AnswerRecord:
    recording = answer.recording
    if recording is not None and recording.status == Recording.Status.DISCARDED:
        recording = None
    return AnswerRecord(answer, recording, getattr(recording, "transcript", None) if recording else None)


def in_chunks(sessions: QuerySet[Session], *, columns: QuerySet[Session]) -> Iterator[list[Any]]:
    """Yield `sessions` in their order, some at a time: a pooler in front allows no cursor of the database.

    columns: what is read of them.
    """
    keys = list(sessions.values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        found = {row.pk: row for row in columns.filter(pk__in=chunk)}
        yield [found[key] for key in chunk if key in found]  # one may have been erased meanwhile


class RecordingRow(NamedTuple):
    """An answer and its recording. follow_up: 0 for the question itself.

    status, storage_name, sha256: "" without a recording.
    """

    session_id: UUID
    invitation_id: UUID
    candidate_name: str
    position: int
    follow_up: int
    question: str
    typed_text: str
    status: str
    storage_name: str
    sha256: str
    byte_count: int | None


_OF_RECORDING = [Coalesce(f"recording__{name}", Value("")) for name in ("status", "storage_name", "sha256")]


def recordings(sessions: QuerySet[Session], *, at_most: int) -> list[RecordingRow]:
    """Return the answers of these sessions, without practice, with their recordings; at most so many."""
    rows = Answer.objects.filter(session__in=sessions.order_by().values("pk"))
    rows = rows.exclude(kind=Answer.Kind.PRACTICE)
    found = rows.order_by(
        "session__invitation__candidate_name", "session", "position", "follow_up"
    ).values_list(
        *("session_id", "session__invitation_id", "session__invitation__candidate_name"),
        *("position", "follow_up", "question_text", "typed_text"),
        *_OF_RECORDING,
        "recording__byte_count",
    )
    return [RecordingRow._make(row) for row in found[:at_most]]
