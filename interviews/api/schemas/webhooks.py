"""Webhooks, what was delivered to them, and the events themselves."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.utils import timezone
from ninja import Field, Schema

from interviews.api.schemas.values import Input
from interviews.models import WebhookDelivery, WebhookEndpoint
from interviews.webhooks import sending

MAX_LIMIT = 100
Told = Literal[
    "invitation.created",
    "interview.started",
    "interview.completed",
    "interview.abandoned",
    "transcript.ready",
    "score.updated",
    "decision.made",
    "candidate.erased",
]


DeliveryStatus = Literal["waiting", "delivered", "failed", "dropped"]


class WebhookIn(Input):
    url: str = Field(
        max_length=500, description="Where to; with https.", examples=["https://ats.example/hook"]
    )
    events: list[Told] = Field(min_length=1, description="Of which events it is told.")
    description: str = Field("", max_length=200)


class WebhookChanges(Input):
    """What is left out stays as it is."""

    url: str | None = Field(None, max_length=500)
    events: list[Told] | None = Field(None, min_length=1)
    description: str | None = Field(None, max_length=200)
    is_on: bool | None = Field(None, description="Off: nothing is sent, and nothing new is kept for it.")


class WebhookOut(Schema):
    id: UUID
    url: str
    events: list[Told]
    description: str
    is_on: bool
    off_reason: Literal["", "by_hand", "gone", "failing"] = Field(
        description="Why it is off. gone: it answered 410; failing: nothing arrived for a day."
    )
    failing_since: datetime | None = Field(description="Since when nothing arrives.")
    earlier_secret_until: datetime | None = Field(description="So long the secret before the last signs too.")
    created_at: datetime

    @staticmethod
    def resolve_earlier_secret_until(row: WebhookEndpoint) -> datetime | None:
        until = row.previous_until
        return until if until and until > timezone.now() else None


class WebhookWithSecretOut(WebhookOut):
    secret: str = Field(
        description="Checks signatures (Standard Webhooks). It is told in this answer only.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class AttemptOut(Schema):
    began_at: datetime
    took_ms: int
    outcome: Literal["ok", "status", "redirect", "timeout", "unreached", "not_allowed", "insecure"]
    status_code: int | None = Field(description="Of the receiver's answer, if there was one.")


class DeliveryOut(Schema):
    id: UUID
    event_id: UUID = Field(description="`webhook-id` of the message, and `id` in the feed of events.")
    type: str
    happened_at: datetime
    status: DeliveryStatus
    due_at: datetime | None = Field(description="When it is tried next; null unless it waits.")
    attempts: list[AttemptOut] = Field(description="The earliest first.")

    @staticmethod
    def resolve_type(row: WebhookDelivery) -> str:
        return row.event.type

    @staticmethod
    def resolve_happened_at(row: WebhookDelivery) -> datetime:
        return row.event.happened_at

    @staticmethod
    def resolve_due_at(row: WebhookDelivery) -> datetime | None:
        return row.due_at if row.status == WebhookDelivery.Status.WAITING else None

    @staticmethod
    def resolve_attempts(row: WebhookDelivery) -> Any:
        return row.tries.all()


class EventOut(Schema):
    """An event as webhooks are sent it, with its id."""

    id: UUID = Field(description="The same as `webhook-id`, by which a repetition is known.")
    cursor: str = Field(description="Its place: send it as `after` to go on behind this event.")
    type: Told
    timestamp: str = Field(description="As it is sent.", json_schema_extra={"format": "date-time"})
    data: dict[str, str | int] = Field(
        description="Ids, and `sequence`, which counts the events of a candidate.",
        examples=[{"invitation_id": "0d6f…", "interview_id": "5b1c…", "session_id": "9a40…", "sequence": 7}],
    )


class EventsWanted(Schema):
    after: str | None = Field(
        None,
        pattern=r"^[0-9]{1,18}$",
        description="`next` of the answer before; left out: from the beginning.",
    )
    limit: int = Field(50, ge=1, le=MAX_LIMIT)


class EventsOut(Schema):
    items: list[EventOut]
    next: str = Field(description="Send it as `after` next time, also if there was nothing new.")
    has_more: bool = Field(description="Whether there is more already.")


def told(event: Any) -> dict[str, Any]:
    """Return an event as `EventOut`."""
    return {"id": event.pk, "cursor": str(event.position), **sending.message_of(event)}
