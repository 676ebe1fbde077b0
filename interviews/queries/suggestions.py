"""What a language model suggests about a candidate, for who has scored the candidate already.

`queries.evaluation` decides whether it is read at all.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from interviews.models import DraftEvaluation, Session, Suggestion
from interviews.models.draft_evaluation import REASONS
from interviews.models.rubric import RubricCriterion
from interviews.queries import reliability
from interviews.queries.answers import AnswerRecord, complete
from interviews.queries.moments import clock, moment_url
from interviews.texts.quotes import occurs

Status = DraftEvaluation.Status


@dataclass(frozen=True, slots=True)
class Place:
    """A second of an answer, with its address. text: what was said there, if it is quoted."""

    number: str
    start_s: float | None
    url: str
    text: str = ""

    @property
    def clock(self) -> str:
        """Minutes and seconds, as 1:07; empty in a typed answer."""
        return "" if self.start_s is None else clock(self.start_s)


@dataclass(frozen=True, slots=True)
class Suggested:
    """What is suggested for a criterion. level: None if nothing is; reason: why, in words."""

    criterion: RubricCriterion
    level: int | None = None
    rationale: str = ""
    quotes: Sequence[Place] = ()
    reason: str = ""

    @property
    def sentence(self) -> str:
        """What the level means."""
        return self.criterion.levels[self.level - 1] if self.level else ""


@dataclass(frozen=True)
class ShownDraft:
    """A draft evaluation as it may be shown. records: the answers as they are now."""

    session: Session
    row: DraftEvaluation
    records: Sequence[AnswerRecord]

    @property
    def is_made(self) -> bool:
        return self.row.status == Status.DONE

    @property
    def is_waiting(self) -> bool:
        return self.row.status == Status.WAITING

    @property
    def made_at(self) -> datetime | None:
        return self.row.made_at

    @property
    def rubric_version(self) -> int | None:
        return self.session.agreed.number

    @cached_property
    def is_stale(self) -> bool:
        """Whether other words stand in the transcripts now than the model was sent."""
        return self.is_made and self.row.said_key != said_key(self.records)

    @cached_property
    def suggested(self) -> list[Suggested]:
        """One for each criterion, in the order of the rubric."""
        if not self.is_made:
            return []
        rows = {row.criterion: row for row in self.row.suggestions.all()}
        return [
            self._suggested(each, rows[each.id]) for each in self.session.agreed.criteria if each.id in rows
        ]

    def _suggested(self, criterion: RubricCriterion, row: Suggestion) -> Suggested:
        if row.level is None:
            return Suggested(criterion, reason=row.reason_in_words)
        if not {quote["number"] for quote in row.quotes} <= self._reliable:
            return Suggested(criterion, reason=str(REASONS["unreliable"]))
        if not all(occurs(quote["text"], self._said[quote["number"]]) for quote in row.quotes):
            return Suggested(criterion, reason=str(REASONS["unproven"]))  # other words stand there now
        quotes = [self._place(quote["number"], quote["start_s"], quote["text"]) for quote in row.quotes]
        return Suggested(criterion, row.level, row.rationale, quotes)

    @cached_property
    def _reliable(self) -> set[str]:
        return {record.answer.number for record in self.records if is_reliable(record)}

    @cached_property
    def _said(self) -> dict[str, str]:
        return {record.answer.number: _spaced(record) for record in self.records}

    @property
    def addressed(self) -> list[Place]:
        """Where the candidate spoke to whoever assesses. The model was not sent this as evidence."""
        return [self._place(number, start_s) for number, start_s in self.row.addressed]

    def _place(self, number: str, start_s: float | None, text: str = "") -> Place:
        return Place(number, start_s, moment_url(self.session.pk, number, start_s), text)


def of(session: Session) -> ShownDraft | None:
    """Return the draft evaluation of a session; None if there is none to speak of."""
    row = DraftEvaluation.objects.filter(session=session).exclude(status=Status.ENDED).first()
    return ShownDraft(session, row, records(session)) if row else None


def records(session: Session) -> list[AnswerRecord]:
    """Return the answers that a draft evaluation is about, in order.

    As reviewers corrected them: what the candidate would rather have said proves nothing.
    """
    rows = complete(session.answers.order_by("position", "follow_up"))
    return [_as_reviewers_heard(AnswerRecord.of(answer)) for answer in rows]


def _as_reviewers_heard(record: AnswerRecord) -> AnswerRecord:
    return replace(record, layers=[layer for layer in record.layers if not layer.is_by_candidate])


def _spaced(record: AnswerRecord) -> str:
    """Return the words of an answer with spaces between them in any language, as the model quotes them."""
    spoken = " ".join(stretch.text for stretch in record.stretches)
    return record.answer.typed_text or spoken or record.text


def is_reliable(record: AnswerRecord) -> bool:
    """Whether the answer's words may be quoted: it was typed, or recognised well enough."""
    return bool(record.answer.typed_text) or reliability.is_reliable(
        record.transcript, is_disputed=record.is_disputed
    )


def said_key(answers: Sequence[AnswerRecord]) -> str:
    """Return a key of all that was said, as it is corrected now: another wording has another one."""
    said: list[Any] = [
        [each.answer.number, each.answer.typed_text or each.text, is_reliable(each)] for each in answers
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
