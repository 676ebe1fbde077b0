"""Invitations, and what is arranged for one candidate."""

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema

from interviews.api.schemas.values import (
    Email,
    FutureTime,
    Input,
    InvitationStatus,
    Line,
    Metadata,
    Reason,
)
from interviews.models import Invitation

MOST_AT_ONCE = 100


class InvitationIn(Input):
    candidate_name: Line
    candidate_email: Email = ""
    expires_at: FutureTime | None = Field(None, description="With a time zone; in 14 days if left out.")
    external_id: Line = Field("", description="By which you know it; one in your organisation.")
    metadata: Metadata = Field({}, description="Texts that you get back with it: 20 at most.")


class InvitationOut(Schema):
    id: UUID
    interview_id: UUID
    candidate_name: str
    candidate_email: str
    url: str = Field(description="The candidate's link. Whoever holds it is the candidate.")
    status: InvitationStatus
    created_at: datetime
    expires_at: datetime
    external_id: str
    metadata: dict[str, str]
    is_test: bool = Field(description="A key for tests made it: counted nowhere, erased after a day.")


class InvitationBatchIn(Input):
    invitations: list[InvitationIn] = Field(min_length=1, max_length=MOST_AT_ONCE)


class InvitedOut(Schema):
    """What became of one of them: the invitation, or why there is none."""

    index: int = Field(description="Its place in the request, from 0.")
    invitation: InvitationOut | None = None
    code: str | None = Field(None, description="Of the problem.")
    detail: str | None = None


class InvitationBatchOut(Schema):
    results: list[InvitedOut]
    invited: int
    refused: int


class WithSession(Schema):
    """How an invitation tells of its session; null before there is one."""

    @staticmethod
    def resolve_session_id(row: Invitation) -> UUID | None:
        return row.session.pk if hasattr(row, "session") else None

    @staticmethod
    def resolve_session_status(row: Invitation) -> str | None:
        return row.session.status if hasattr(row, "session") else None


class InvitationProgressOut(WithSession, InvitationOut):
    session_id: UUID | None = Field(description="Null until the candidate has given consent.")
    session_status: str | None
    answered: int = Field(alias="answered_count")
    total: int = Field(alias="question_count")


class AccommodationIn(Input):
    """What a candidate gets from now on. What is left out is not given."""

    extra_percent: int = Field(0, ge=0, le=300, description="More time to think and to answer; 100 is twice.")
    is_untimed: bool = Field(False, description="Nothing begins or ends by itself.")
    is_written: bool = Field(False, description="Answers are written; no microphone is needed.")
    is_patient: bool = Field(False, description="A pause of up to ten seconds does not end an answer.")
    has_large_text: bool = False
    reason: Reason = Field(description="Kept encrypted, and shown to those who invite. No answer has it.")


class AccommodationOut(Schema):
    extra_percent: int
    is_untimed: bool
    is_written: bool
    is_patient: bool
    has_large_text: bool
    given_at: datetime | None = Field(description="Null: nothing was ever arranged.")


class InvitationStateOut(Schema):
    id: UUID
    status: InvitationStatus
    expires_at: datetime


class ExtensionIn(Input):
    expires_at: FutureTime = Field(description="With a time zone.")


class ResetIn(Input):
    expires_at: FutureTime | None = Field(None, description="The new last day; as before if left out.")
