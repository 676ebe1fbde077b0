"""Scores and decision in the JSON form of a candidate's interview."""

from datetime import datetime
from typing import Any, Literal

from django.utils import timezone
from ninja import Field, Schema

from interviews.queries.evaluation import Evaluation, Opinion, Score
from interviews.queries.suggestions import ShownDraft, Suggested


class ExportedDecision(Schema):
    outcome: Literal["advance", "hold", "reject"]
    reason: str
    decided_by: str = Field(description="A user name; empty if the account is gone.")
    decided_at: datetime


class ExportedScore(Schema):
    criterion_id: int
    criterion: str
    level: int | None = Field(description="From 1 on; null if the answers gave no basis.")
    sentence: str = Field(description="What the level means; empty without a level.")
    note: str


class ExportedScorecard(Schema):
    """What a reviewer submitted last. Drafts are in no export."""

    reviewer: str = Field(description="A user name.")
    submitted_at: datetime
    is_blind: bool = Field(description="Whether the reviewer had not seen the scores of others.")
    scores: list[ExportedScore]


class ExportedQuote(Schema):
    answer: str = Field(description="The answer's number, as 2 or 2.1.")
    start_s: float | None = Field(description="From the start of its recording; null in a typed answer.")
    text: str


class ExportedSuggestedLevel(Schema):
    criterion_id: int
    criterion: str
    level: int | None = Field(description="Null if nothing is suggested.")
    rationale: str
    quotes: list[ExportedQuote]
    reason: str = Field(description="Why nothing is suggested; else empty.")


class ExportedDraft(Schema):
    """What a language model suggests. A person decides."""

    model: str
    prompt_version: str
    rubric_version: int | None
    made_at: datetime
    is_stale: bool = Field(description="Whether the transcript was changed after it was made.")
    levels: list[ExportedSuggestedLevel]


class ExportedEvaluation(Schema):
    decision: ExportedDecision | None = Field(description="The current one, if there is one to see.")
    scorecards: list[ExportedScorecard] | None = Field(
        description="Null if they are hidden from who exported: a person who is to score does so alone."
    )
    draft_evaluation: ExportedDraft | None = Field(
        description="Null if there is none, or if who exported has not submitted a score."
    )


def described(evaluation: Evaluation) -> ExportedEvaluation:
    """Return what the person who exports may see."""
    decision: Any = evaluation.decision
    return ExportedEvaluation(
        decision=decision
        and ExportedDecision(
            outcome=decision.outcome,
            reason=decision.reason,
            decided_by=str(decision.decided_by or ""),
            decided_at=timezone.localtime(decision.decided_at),
        ),
        scorecards=None if evaluation.is_blind else [_scorecard(each) for each in evaluation.opinions],
        draft_evaluation=_draft(evaluation.drafted),
    )


def _draft(draft: ShownDraft | None) -> ExportedDraft | None:
    if draft is None or draft.made_at is None:
        return None
    return ExportedDraft(
        model=draft.row.model,
        prompt_version=draft.row.prompt_version,
        rubric_version=draft.rubric_version,
        made_at=timezone.localtime(draft.made_at),
        is_stale=draft.is_stale,
        levels=[_suggested(each) for each in draft.suggested],
    )


def _suggested(each: Suggested) -> ExportedSuggestedLevel:
    quotes = [ExportedQuote(answer=one.number, start_s=one.start_s, text=one.text) for one in each.quotes]
    return ExportedSuggestedLevel(
        criterion_id=each.criterion.id,
        criterion=each.criterion.name,
        level=each.level,
        rationale=each.rationale,
        quotes=quotes,
        reason=each.reason,
    )


def _scorecard(opinion: Opinion) -> ExportedScorecard:
    return ExportedScorecard(
        reviewer=str(opinion.reviewer),
        submitted_at=timezone.localtime(opinion.submitted_at),
        is_blind=opinion.is_blind,
        scores=[_score(each) for each in opinion.scores],
    )


def _score(score: Score) -> ExportedScore:
    return ExportedScore(
        criterion_id=score.criterion.id,
        criterion=score.criterion.name,
        level=score.level or None,
        sentence=score.sentence,
        note=score.note,
    )
