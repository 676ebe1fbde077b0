"""REST endpoints of webhooks, their deliveries, and the feed of events."""

import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from ninja import Query, Router, Status
from ninja.pagination import paginate

from accounts.models import ApiKey
from interviews.actions import event_feed, outbox, webhooks
from interviews.api import conditions, pages, scoping
from interviews.api.schemas import webhooks as schemas
from interviews.models import WebhookDelivery, WebhookEndpoint
from voice.web import scopes

logger = logging.getLogger(__name__)

router = Router()


@router.get("/webhooks", response={200: list[schemas.WebhookOut], **scoping.ERRORS}, summary="List webhooks")
@paginate(pages.Pages)
@scopes.needs(ApiKey.Scope.WEBHOOKS_READ)
def list_webhooks(request: scoping.ApiRequest) -> QuerySet[WebhookEndpoint]:
    return _webhooks(request)


@router.post(
    "/webhooks", response={201: schemas.WebhookWithSecretOut, **scoping.ERRORS}, summary="Add a webhook"
)
@scopes.needs(ApiKey.Scope.WEBHOOKS_WRITE)
def add_webhook(request: scoping.ApiRequest, payload: schemas.WebhookIn) -> Status[WebhookEndpoint]:
    """The answer tells the secret with which messages are signed, and no later answer does."""
    organisation, now = request.auth.organisation, timezone.now()
    endpoint = webhooks.create(organisation=organisation, **payload.dict(), by=request.auth, now=now)
    return Status(201, _told_secret(request, endpoint))


@router.get(
    "/webhooks/{uuid:webhook_id}", response={200: schemas.WebhookOut, **scoping.ERRORS}, summary="Read one"
)
@scopes.needs(ApiKey.Scope.WEBHOOKS_READ)
def read_webhook(request: scoping.ApiRequest, webhook_id: UUID) -> WebhookEndpoint:
    return _webhook(request, webhook_id)


@router.patch(
    "/webhooks/{uuid:webhook_id}",
    response={200: schemas.WebhookOut, **scoping.ERRORS},
    summary="Change one, or switch it off or on",
)
@scopes.needs(ApiKey.Scope.WEBHOOKS_WRITE)
@transaction.atomic
def change_webhook(
    request: scoping.ApiRequest, webhook_id: UUID, payload: schemas.WebhookChanges
) -> WebhookEndpoint:
    """What waits is delivered once it is on again."""
    endpoint = scoping.one(_webhooks(request).select_for_update(), webhook_id, "webhook")
    conditions.check(request, schemas.WebhookOut, endpoint, is_needed=True)
    changes = payload.dict(exclude_none=True)
    is_on = changes.pop("is_on", None)
    if changes:
        as_it_is = {name: getattr(endpoint, name) for name in ("url", "events", "description")}
        webhooks.change(endpoint=endpoint, **as_it_is | changes)
    if is_on is not None and is_on != endpoint.is_on:
        webhooks.switch(endpoint=endpoint, is_on=is_on)
    return endpoint


@router.delete(
    "/webhooks/{uuid:webhook_id}", response={204: None, **scoping.ERRORS}, summary="Delete one, with its log"
)
@scopes.needs(ApiKey.Scope.WEBHOOKS_WRITE)
def delete_webhook(request: scoping.ApiRequest, webhook_id: UUID) -> Status[None]:
    webhooks.delete(endpoint=_webhook(request, webhook_id))
    return Status(204, None)


@router.post(
    "/webhooks/{uuid:webhook_id}/secret",
    response={200: schemas.WebhookWithSecretOut, **scoping.ERRORS},
    summary="Make a new secret",
)
@scopes.needs(ApiKey.Scope.WEBHOOKS_WRITE)
def renew_secret(request: scoping.ApiRequest, webhook_id: UUID) -> WebhookEndpoint:
    """For a day the secret before signs as well, so that the receiver can take over the new one."""
    endpoint = _webhook(request, webhook_id)
    webhooks.renew_secret(endpoint=endpoint, now=timezone.now())
    return _told_secret(request, endpoint)


@router.post(
    "/webhooks/{uuid:webhook_id}/test",
    response={202: schemas.WebhookOut, **scoping.ERRORS},
    summary="Send a test",
)
@scopes.needs(ApiKey.Scope.WEBHOOKS_WRITE)
def send_test(request: scoping.ApiRequest, webhook_id: UUID) -> Status[WebhookEndpoint]:
    """The receiver gets an event `webhook.test`, which is about no candidate."""
    endpoint = _webhook(request, webhook_id)
    outbox.tell_test(endpoint, now=timezone.now())
    return Status(202, endpoint)


@router.get(
    "/webhooks/{uuid:webhook_id}/deliveries",
    response={200: list[schemas.DeliveryOut], **scoping.ERRORS},
    summary="What was sent to it, and what came of it",
)
@paginate(pages.Pages, by=("event__happened_at",))
@scopes.needs(ApiKey.Scope.WEBHOOKS_READ)
def list_deliveries(
    request: scoping.ApiRequest, webhook_id: UUID, status: schemas.DeliveryStatus | None = None
) -> QuerySet[WebhookDelivery]:
    """The newest first, for 30 days."""
    rows = _deliveries(_webhook(request, webhook_id))
    return rows.filter(status=status) if status else rows


@router.post(
    "/webhooks/{uuid:webhook_id}/deliveries/{uuid:delivery_id}/replay",
    response={202: schemas.DeliveryOut, **scoping.ERRORS},
    summary="Send an event again",
)
@scopes.needs(ApiKey.Scope.WEBHOOKS_WRITE)
def replay(request: scoping.ApiRequest, webhook_id: UUID, delivery_id: UUID) -> Status[WebhookDelivery]:
    """It has the same id, by which the receiver knows that it is a repetition."""
    rows = _deliveries(_webhook(request, webhook_id))
    outbox.replay(delivery=scoping.one(rows, delivery_id, "delivery"), now=timezone.now())
    return Status(202, scoping.one(rows, delivery_id, "delivery"))


@router.get("/events", response={200: schemas.EventsOut, **scoping.ERRORS}, summary="What happened")
@scopes.needs(ApiKey.Scope.EVENTS_READ)
def list_events(request: scoping.ApiRequest, wanted: Query[schemas.EventsWanted]) -> dict[str, Any]:
    """Events in one order that never changes, those of 30 days. Keep `next` and send it as `after`.

    They are kept from the moment on at which the organisation has a key with `events:read`, or a webhook.
    """
    rows = event_feed.after(int(wanted.after or 0), organisation=request.auth.organisation)
    found = list(rows[: wanted.limit + 1])
    shown = found[: wanted.limit]
    return {
        "items": [schemas.told(event) for event in shown],
        "next": str(shown[-1].position) if shown else wanted.after or "0",
        "has_more": len(found) > len(shown),
    }


def _webhooks(request: scoping.ApiRequest) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(organisation=request.auth.organisation)


def _webhook(request: scoping.ApiRequest, webhook_id: UUID) -> WebhookEndpoint:
    return scoping.one(_webhooks(request), webhook_id, "webhook")


def _deliveries(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    return endpoint.deliveries.select_related("event").prefetch_related("tries")


def _told_secret(request: scoping.ApiRequest, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    logger.info("secret of webhook %s shown to key %s", endpoint.pk, request.auth.pk)
    return endpoint
