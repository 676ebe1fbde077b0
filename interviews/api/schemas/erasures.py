"""Erased candidates."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from ninja import Field, Schema

from interviews.api.schemas.values import InvitationStatus


class ErasureOut(Schema):
    id: UUID
    interview_id: UUID
    status: Literal["waiting", "done"] = Field(description="done: nothing is found any more.")
    source: Literal["recruiter", "api", "candidate", "retention"] = Field(description="Who asked for it.")
    requested_at: datetime
    done_at: datetime | None
    invitation_status: InvitationStatus = Field(description="As it was then.")
    session_status: str = Field(description="As it was then; empty if the interview had not begun.")
    invited_on: date
    begun_on: date | None
    finished_on: date | None
    answered: int = Field(alias="answer_count")
