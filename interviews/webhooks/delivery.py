"""Deliver what waits for an endpoint: a job, which ends after a while so that others have their turn."""

import asyncio
import logging
import time
from collections.abc import Sequence
from uuid import UUID

import httpcore
from django.utils import timezone

from interviews.actions import outbox
from interviews.actions.outbox import Claimed, Tried
from interviews.models import WebhookEndpoint
from interviews.tokens import UnreadableToken
from interviews.webhooks import metrics, notice, outside, sending
from voice.workers import handing_on

logger = logging.getLogger(__name__)

AT_ONCE = 8
"""Requests under way at one endpoint."""
TURN_S = 20.0
"""Then the job lines up again behind those of other endpoints."""


def deliver(*, endpoint_id: UUID) -> None:
    """Deliver until nothing waits, for `TURN_S` at most."""
    ends = time.monotonic() + TURN_S
    with asyncio.Runner() as runner:
        connections = outside.connections(at_most=AT_ONCE)
        try:
            while _deliver_some(endpoint_id, runner, connections):
                if time.monotonic() > ends:
                    handing_on.line_up(outbox.QUEUE, job_id=outbox.job_id(endpoint_id))
                    return
        finally:
            runner.run(connections.aclose())


def _deliver_some(
    endpoint_id: UUID, runner: asyncio.Runner, connections: httpcore.AsyncConnectionPool
) -> bool:
    """Try the next few. Return whether there were any."""
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None:
        return False
    try:
        secrets = endpoint.secrets(timezone.now())
    except UnreadableToken as error:
        logger.error("webhook %s: %s", endpoint_id, error)
        return False
    claimed = outbox.claim(endpoint_id=endpoint_id, at_once=AT_ONCE, now=timezone.now())
    if not claimed:
        return False
    tried = runner.run(_try_all(connections, endpoint.url, secrets, claimed))
    for each in tried:
        metrics.ATTEMPTS.labels(each.outcome).inc()
    reason = outbox.settle(endpoint_id=endpoint_id, tried=tried, now=timezone.now())
    if reason is not None:
        logger.warning("webhook %s was switched off: %s", endpoint_id, reason)
        notice.send(endpoint, reason)
    return reason is None


async def _try_all(
    connections: httpcore.AsyncConnectionPool, url: str, secrets: Sequence[str], claimed: Sequence[Claimed]
) -> list[Tried]:
    return await asyncio.gather(*(_try(connections, url, secrets, each) for each in claimed))


async def _try(
    connections: httpcore.AsyncConnectionPool, url: str, secrets: Sequence[str], claimed: Claimed
) -> Tried:
    began_at, began = timezone.now(), time.monotonic()
    body = sending.body_of(claimed.event)
    headers = sending.headers_of(claimed.event, body, secrets=secrets, now=began_at)
    outcome, status = await sending.post(connections, url, body, headers)
    return Tried(claimed, began_at, round(1000 * (time.monotonic() - began)), outcome, status)
