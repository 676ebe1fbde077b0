"""Candidates: one person is one e-mail address, whatever the number of invitations."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Field, Schema

from interviews.api.schemas.invitations import WithSession
from interviews.api.schemas.values import InvitationStatus
from interviews.models import Invitation


class CandidateOut(Schema):
    id: UUID = Field(
        description="Of the candidate's newest invitation. Each of the others finds the candidate too."
    )
    name: str = Field(alias="candidate_name")
    email: str = Field(alias="candidate_email", description="Empty if it is not known.")
    invitation_count: int
    last_invited_at: datetime = Field(alias="created_at")


class CandidateInvitationOut(WithSession):
    invitation_id: UUID = Field(alias="pk")
    interview_id: UUID
    interview_title: str = Field(alias="interview.title")
    status: InvitationStatus
    invited_at: datetime = Field(alias="created_at")
    session_id: UUID | None = Field(description="Null until the candidate has given consent.")
    session_status: Literal["checking", "practising", "under_way", "finished", "abandoned"] | None
    finished_at: datetime | None

    @staticmethod
    def resolve_finished_at(row: Invitation) -> datetime | None:
        return row.session.finished_at if hasattr(row, "session") else None


class CandidateDetailOut(CandidateOut):
    invitations: list[CandidateInvitationOut] = Field(description="The newest first.")


class CandidateFilter(Schema):
    search: str | None = Field(None, max_length=200, description="Part of the name or of the e-mail address.")
