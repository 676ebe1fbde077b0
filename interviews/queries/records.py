"""Everything that is kept of one candidate's interview, read for an export."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce

from interviews.models import Answer, InterviewVersion, Invitation, Session
from interviews.queries import evaluation, integrity
from interviews.queries.answers import AnswerRecord, complete
from interviews.queries.blindness import Viewer
from interviews.queries.evaluation import Evaluation
from interviews.queries.integrity import Fact

CHUNK = 1000
"""Rows that are read at once where many are exported."""


@dataclass(frozen=True, slots=True)
class Record:
    """A candidate's interview: what was agreed to, asked, answered, noticed, and judged.

    evaluation: as far as the viewer may see it; None for a program whose key may not.
    """

    session: Session
    answers: Sequence[AnswerRecord]
    facts: Sequence[Fact]
    evaluation: Evaluation | None = None

    @property
    def invitation(self) -> Invitation:
        return self.session.invitation

    @property
    def version(self) -> InterviewVersion:
        """The interview as the candidate agreed to it."""
        return self.session.agreed


def of(session_id: UUID, *, viewer: Viewer | None = None) -> Record:
    """Read a candidate's interview, in the same number of statements for any number of answers.

    viewer: who gets the judgement, as far as this viewer may see it; None: nobody does.

    Raises Session.DoesNotExist.
    """
    related = ("invitation__interview__organisation", "invitation__interview__published", "definition")
    session = Session.objects.select_related(*related).get(pk=session_id)
    rows = complete(session.answers.order_by("position", "follow_up"))
    found = [AnswerRecord.of(answer) for answer in rows]
    return Record(
        session=session,
        answers=found,
        facts=integrity.facts_of(session, [each.answer for each in found]),
        evaluation=evaluation.shown_to(viewer, session) if viewer else None,
    )


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
    data_key: UUID | None

    def numbered(self, form: str = "") -> str:
        """Return the number of the answer, such as 1 or 1.2; form: of the question's part."""
        return f"{self.position:{form}}" + (f".{self.follow_up}" if self.follow_up else "")


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
        *("recording__byte_count", "recording__data_key"),
    )
    return [RecordingRow._make(row) for row in found[:at_most]]
