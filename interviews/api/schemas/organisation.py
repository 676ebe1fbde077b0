"""What owners set for their organisation."""

from typing import Annotated

from ninja import Field, Schema
from pydantic import AfterValidator, StringConstraints

from accounts import colours
from interviews.api.schemas.values import Email, Input, Line


def _readable(colour: str) -> str:
    near = colours.in_light(colour) if colour else ""
    if near != colour.lower():
        raise ValueError(f"text in it is hard to read; the nearest colour that can be read is {near}")
    return near


Colour = Annotated[str, StringConstraints(pattern=r"^(#[0-9a-fA-F]{6})?$"), AfterValidator(_readable)]
ShortLine = Annotated[Line, StringConstraints(max_length=100)]
Phone = Annotated[Line, StringConstraints(max_length=40)]


class OrganisationChanges(Input):
    """What is left out stays as it is."""

    accent_colour: Colour | None = Field(None, examples=["#0b6e4f"], description="Empty: the standard one.")
    contact_name: ShortLine | None = None
    contact_email: Email | None = None
    contact_phone: Phone | None = None
    is_review_by_assignment: bool | None = Field(
        None, description="Whether reviewers see only the candidates that they are assigned to."
    )
    is_language_model_used: bool | None = Field(
        None,
        description="Whether the language model may ask follow-up questions, where the consent names it.",
    )


class OrganisationOut(Schema):
    name: str
    slug: str
    accent_colour: str
    contact_name: str
    contact_email: str
    contact_phone: str
    is_review_by_assignment: bool
    is_language_model_used: bool
