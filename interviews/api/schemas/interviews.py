"""Interviews and their questions."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Field, Schema


class InterviewOut(Schema):
    id: UUID
    title: str
    job_title: str
    language: str
    voice: str = Field(description="Empty: the best voice for the language.")
    retention_days: int | None = Field(
        description="So long after the end of an interview its candidate is erased; null: no end."
    )
    created_at: datetime
    question_count: int


class QuestionOut(Schema):
    id: int
    position: int
    text: str
    think_seconds: int
    answer_limit_seconds: int
    retakes: int


class InterviewDetailOut(InterviewOut):
    practice_question: str = Field(description="Empty: a standard one.")
    patience: Literal["quick", "normal", "patient"] = Field(
        description="How long a silence is before the candidate is asked whether there is anything to add."
    )
    is_barge_in_allowed: bool = Field(
        description="Whether speaking while a question is read aloud stops the reading and begins the answer."
    )
    consent_text: str
    questions: list[QuestionOut]
