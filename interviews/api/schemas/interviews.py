"""Interviews with their questions and rubric, and their versions."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema

from interviews.api.schemas.values import (
    Email,
    FutureTime,
    Input,
    LanguageCode,
    Line,
    Sentence,
    ShortText,
    Text,
    Title,
    all_optional,
)
from interviews.models import Criterion, Interview, InterviewVersion
from interviews.models.question import MOST_FOLLOW_UPS
from interviews.models.rubric import LEAST_LEVELS, MOST_LEVELS, RubricCriterion

Patience = Literal["quick", "normal", "patient"]
InterviewStatus = Literal["draft", "published", "archived"]
PATIENCE = "How long a silence is before the candidate is asked whether there is anything to add."
BARGE_IN = "Whether speaking while a question is read aloud stops the reading and begins the answer."
RETENTION = "So long after the end of an interview its candidate is erased; null: no end."
SCRIPT = "Asked word for word after the answer, at most three."
MOST_QUESTIONS, MOST_CRITERIA = 100, 50


class InterviewOut(Schema):
    id: UUID
    title: str
    job_title: str
    status: InterviewStatus
    language: str
    voice: str = Field(description="Empty: the best voice for the language.")
    retention_days: int | None = Field(description=RETENTION)
    created_at: datetime
    question_count: int


class QuestionOut(Schema):
    id: int
    position: int
    text: str
    think_seconds: int
    answer_limit_seconds: int
    retakes: int
    follow_ups: int = Field(description="So many questions at most that a language model asks.")
    scripted_follow_ups: list[str] = Field(description=SCRIPT)


class CriterionOut(Schema):
    name: str
    meaning: str
    levels: list[str] = Field(description="What an answer of level 1, 2, 3 … is like.")
    questions: list[int] = Field(description="The places 1, 2, 3 … of the questions about it; none: all.")

    @staticmethod
    def resolve_questions(criterion: Criterion, context: Any) -> list[int]:
        """Return the places of its questions, which `prefetched` has in order."""
        of = {question.pk: place for place, question in enumerate(criterion.interview.questions.all(), 1)}
        return sorted(of[question.pk] for question in criterion.questions.all())


class _Definition(Schema):
    introduction: str
    closing_text: str
    deadline: datetime | None
    contact_name: str
    contact_email: str
    contact_phone: str
    vocabulary: str
    practice_question: str = Field(description="Empty: a standard one.")
    patience: Patience = Field(description=PATIENCE)
    is_barge_in_allowed: bool = Field(description=BARGE_IN)
    is_correcting_allowed: bool
    has_page_facts: bool
    is_evaluation_drafted: bool
    consent_text: str


class InterviewDetailOut(InterviewOut, _Definition):
    questions: list[QuestionOut]
    rubric: list[CriterionOut] = Field(alias="criteria")
    published_version: int | None = Field(description="Which version candidates get; null: none yet.")

    @staticmethod
    def resolve_published_version(row: Interview) -> int | None:
        return row.published.number if row.published else None


class QuestionIn(Input):
    id: int | None = Field(None, ge=1, le=2**62, description="Of a question that is there; null: a new one.")
    text: Text = Field(min_length=1)
    think_seconds: int = Field(30, ge=0, le=600)
    answer_limit_seconds: int = Field(120, ge=5, le=1800)
    retakes: int = Field(0, ge=0, le=10)
    follow_ups: int = Field(0, ge=0, le=MOST_FOLLOW_UPS)
    scripted_follow_ups: list[Text] = Field([], max_length=MOST_FOLLOW_UPS, description=SCRIPT)


class CriterionIn(Input):
    name: ShortText = Field(min_length=1, description="A criterion that keeps its name keeps its scores.")
    meaning: Text = Field("", max_length=1000)
    levels: list[Sentence] = Field(min_length=LEAST_LEVELS, max_length=MOST_LEVELS)
    questions: list[int] = Field([], max_length=MOST_QUESTIONS, description="Places of questions, from 1.")


class InterviewIn(Input):
    title: Title
    job_title: Line = ""
    language: LanguageCode = "en"
    voice: ShortText = Field("", description="An id of the list of voices; empty: the best one.")
    introduction: Text = ""
    closing_text: Text = ""
    deadline: FutureTime | None = Field(None, description="After it no candidate can begin.")
    contact_name: ShortText = ""
    contact_email: Email = ""
    contact_phone: ShortText = Field("", max_length=40)
    vocabulary: Text = Field("", max_length=20_000, description="One term a line; term = how it sounds.")
    practice_question: Text = ""
    patience: Patience = Field("normal", description=PATIENCE)
    is_barge_in_allowed: bool = Field(True, description=BARGE_IN)
    is_correcting_allowed: bool = True
    has_page_facts: bool = True
    is_evaluation_drafted: bool = False
    consent_text: Text = Field("", max_length=20_000, description="Nothing is published without it.")
    retention_days: int | None = Field(None, ge=1, le=3650, description=RETENTION)
    questions: list[QuestionIn] = Field([], max_length=MOST_QUESTIONS)
    rubric: list[CriterionIn] = Field([], max_length=MOST_CRITERIA)


@all_optional
class InterviewPatch(InterviewIn):
    """What is to change. A list that is sent replaces the one that is there."""


class VersionOut(Schema):
    number: int
    title: str
    published_at: datetime
    question_count: int
    is_current: bool = Field(description="Whether candidates who begin now get it.")

    @staticmethod
    def resolve_question_count(row: InterviewVersion) -> int:
        return len(row.questions)

    @staticmethod
    def resolve_is_current(row: InterviewVersion) -> bool:
        return row.interview.published_id == row.pk


class AskedQuestionOut(Schema):
    id: int
    text: str
    think_seconds: int
    answer_limit_seconds: int
    retakes: int
    follow_ups: int
    scripted_follow_ups: list[str]


class VersionCriterionOut(Schema):
    id: int = Field(description="As scores name it.")
    name: str
    meaning: str
    levels: list[str]
    questions: list[int] = Field(description="The ids of the questions about it; none: all.")


class VersionDetailOut(VersionOut, _Definition):
    job_title: str
    language: str
    voice: str
    retention_days: int | None
    questions: list[AskedQuestionOut] = Field(alias="asked")
    rubric: list[VersionCriterionOut] = Field(alias="criteria")

    @staticmethod
    def resolve_rubric(row: InterviewVersion) -> list[dict[str, Any]]:
        return [RubricCriterion(**each)._asdict() for each in row.rubric]

    @staticmethod
    def resolve_questions(row: InterviewVersion) -> list[dict[str, Any]]:
        return [each._asdict() for each in row.asked]


class DifferenceOut(Schema):
    label: str = Field(description="The field or question, in words.")
    before: str
    after: str
