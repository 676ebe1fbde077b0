"""Legal holds."""

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema


class LegalHoldOut(Schema):
    id: UUID
    interview_id: UUID
    invitation_id: UUID | None = Field(description="Of one candidate; null: of all of the interview.")
    reason: str
    placed_at: datetime
    ended_at: datetime | None = Field(description="Null while nothing may be erased.")
