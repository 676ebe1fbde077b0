"""Scores and decision in the JSON form of a candidate's interview."""

from datetime import datetime
from typing import Any, Literal

from django.utils import timezone
from ninja import Field, Schema

from interviews.queries.evaluation import Evaluation, Opinion, Score


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


class ExportedEvaluation(Schema):
    decision: ExportedDecision | None = Field(description="The current one, if there is one to see.")
    scorecards: list[ExportedScorecard] | None = Field(
        description="Null if they are hidden from who exported: a person who is to score does so alone."
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
