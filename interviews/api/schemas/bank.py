"""Questions of the bank."""

from datetime import datetime

from ninja import Field, Schema

from interviews.api.schemas.values import Input, LanguageCode, ShortText, Text, all_optional
from interviews.models import BankQuestion
from interviews.texts.tags import tags

MOST_TAGS = 20


class BankQuestionOut(Schema):
    id: int
    text: str
    language: str
    tags: list[str]
    competencies: list[str]
    think_seconds: int
    answer_limit_seconds: int
    retakes: int
    created_at: datetime

    @staticmethod
    def resolve_tags(row: BankQuestion) -> list[str]:
        return tags(row.tags)

    @staticmethod
    def resolve_competencies(row: BankQuestion) -> list[str]:
        return tags(row.competencies)


class BankQuestionIn(Input):
    text: Text = Field(min_length=1)
    language: LanguageCode = "en"
    tags: list[ShortText] = Field([], max_length=MOST_TAGS, description="200 characters together at most.")
    competencies: list[ShortText] = Field([], max_length=MOST_TAGS, description="What the answer shows.")
    think_seconds: int = Field(30, ge=0, le=600)
    answer_limit_seconds: int = Field(120, ge=5, le=1800)
    retakes: int = Field(0, ge=0, le=10)


@all_optional
class BankQuestionPatch(BankQuestionIn):
    """What is to change."""


class PickIn(Input):
    questions: list[int] = Field(
        min_length=1, max_length=100, description="Ids of questions of the bank, in order."
    )
