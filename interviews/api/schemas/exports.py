"""Files about many candidates, made by jobs."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import AwareDatetime

from interviews.api.schemas.sessions import SessionStatus
from interviews.api.schemas.values import Input
from interviews.models import Export


class ExportIn(Input):
    """Of which interviews of candidates. What is left out does not matter."""

    kind: Literal["candidates_csv", "candidates_xlsx", "recordings_zip"]
    interview_id: UUID | None = None
    status: SessionStatus | None = None
    begun_from: AwareDatetime | None = Field(None, description="Consent was given then or later.")
    begun_before: AwareDatetime | None = None
    finished_from: AwareDatetime | None = None
    finished_before: AwareDatetime | None = None
    with_scores: bool = Field(
        False, description="Decisions and scores as columns. Needs a key with `scores:read` too."
    )

    def wanted(self) -> dict[str, str]:
        """Return the filters as they are kept."""
        given: dict[str, Any] = self.dict(exclude={"kind", "with_scores"}, exclude_none=True)
        return {name: str(value) for name, value in given.items()}


class ExportOut(Schema):
    id: UUID
    kind: Literal["candidates_csv", "candidates_xlsx", "recordings_zip"]
    status: Literal["waiting", "done", "failed", "ended"] = Field(
        description="ended: a candidate in it was erased, and the file with it. Ask for a new one."
    )
    done_count: int = Field(description="Candidates that are in it so far; recordings of a ZIP.")
    total: int | None = Field(description="Null until a job has begun it.")
    with_scores: bool = Field(alias="is_judged")
    byte_count: int | None
    sha256: str = Field(description="Of the file; empty until it is done.")
    created_at: datetime
    done_at: datetime | None
    expires_at: datetime = Field(description="Then it is deleted.")
    url: str | None = Field(description="Where the file is fetched, with a key; null until it is done.")

    @staticmethod
    def resolve_url(row: Export) -> str | None:
        return f"/api/v1/exports/{row.pk}/file" if row.status == Export.Status.DONE else None
