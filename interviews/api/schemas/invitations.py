"""Invitations, and what is arranged for one candidate."""

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema

from interviews.api.schemas.values import Email, FutureTime, InvitationStatus, Line, Reason
from interviews.models import Invitation


class InvitationIn(Schema):
    candidate_name: Line
    candidate_email: Email = ""
    expires_at: FutureTime | None = Field(None, description="With a time zone; in 14 days if left out.")


class InvitationOut(Schema):
    id: UUID
    interview_id: UUID
    candidate_name: str
    candidate_email: str
    url: str = Field(description="The candidate's link. Whoever holds it is the candidate.")
    status: InvitationStatus
    created_at: datetime
    expires_at: datetime


class InvitationProgressOut(InvitationOut):
    session_id: UUID | None = Field(description="Null until the candidate has given consent.")
    session_status: str | None
    answered: int = Field(alias="answered_count")
    total: int = Field(alias="question_count")

    @staticmethod
    def resolve_session_id(row: Invitation) -> UUID | None:
        return row.session.pk if hasattr(row, "session") else None

    @staticmethod
    def resolve_session_status(row: Invitation) -> str | None:
        return row.session.status if hasattr(row, "session") else None


class AccommodationIn(Schema):
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


class ExtensionIn(Schema):
    expires_at: FutureTime = Field(description="With a time zone.")


class ResetIn(Schema):
    expires_at: FutureTime | None = Field(None, description="The new last day; as before if left out.")
