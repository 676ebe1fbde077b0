"""Values that several requests and answers have. Times are ISO 8601 in UTC, ids are UUIDs."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from ninja import Field, Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, StringConstraints
from pydantic_core import PydanticUndefined

LONGEST_INVITATION = timedelta(days=3650)


def _without_controls(value: str) -> str:
    if any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in value):
        raise ValueError("it holds control characters")
    return value


def _without_nul(value: str) -> str:
    if any(char == "\0" or 0xD800 <= ord(char) <= 0xDFFF for char in value):
        raise ValueError("it holds a character that cannot be saved")
    return value


def _email_or_empty(value: str) -> str:
    try:
        if value:
            validate_email(value)
    except ValidationError as error:
        raise ValueError("it is no e-mail address") from error
    return value


def _not_too_far(value: datetime) -> datetime:
    if value.replace(tzinfo=None) > (timezone.now() + LONGEST_INVITATION).replace(tzinfo=None):
        raise ValueError("it lies more than ten years ahead")
    return value


Line = Annotated[
    str, StringConstraints(max_length=200, strip_whitespace=True), AfterValidator(_without_controls)
]
Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email_or_empty)]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), AfterValidator(_without_nul)
]
FutureTime = Annotated[AwareDatetime, AfterValidator(_not_too_far)]
InvitationStatus = Literal["pending", "started", "finished", "expired", "revoked"]

ShortText = Annotated[
    str, StringConstraints(max_length=100, strip_whitespace=True), AfterValidator(_without_controls)
]
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_without_controls),
]
Text = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True), AfterValidator(_without_nul)]
Sentence = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300, strip_whitespace=True),
    AfterValidator(_without_controls),
]
Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")],
        Annotated[str, StringConstraints(max_length=500), AfterValidator(_without_nul)],
    ],
    Field(max_length=20),
]
LanguageCode = Literal["en", "de", "es", "fr", "it", "nl", "pl", "pt", "hi", "ja", "zh"]
"""Of `interviews.texts.languages.LANGUAGES`; a test compares them."""


class Input(Schema):
    """A body. A field that there is not is refused: a misspelt one would be lost without a word."""

    model_config = ConfigDict(extra="forbid")


Body = TypeVar("Body", bound=type[Schema])


def all_optional(schema: Body) -> Body:
    """Let every field of a body be left out. What it was sent with is in `dict(exclude_unset=True)`."""
    for field in vars(schema)["__pydantic_fields__"].values():
        field.default, field.default_factory = PydanticUndefined, lambda: None
    schema.model_rebuild(force=True)
    return schema
