"""Filters of the list of candidates' interviews."""

from typing import Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import AwareDatetime

from interviews.api.schemas.values import Email

SessionStatus = Literal["checking", "practising", "under_way", "finished", "abandoned"]


class SessionFilter(Schema):
    interview_id: UUID | None = None
    invitation_id: UUID | None = None
    candidate_email: Email | None = Field(None, description="Upper and lower case alike.")
    status: SessionStatus | None = None
    begun_from: AwareDatetime | None = Field(None, description="Consent was given then or later.")
    begun_before: AwareDatetime | None = None
    finished_from: AwareDatetime | None = None
    finished_before: AwareDatetime | None = None
