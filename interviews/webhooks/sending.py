"""One request to a receiver, signed after the Standard Webhooks specification.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpcore
from standardwebhooks import Webhook

from interviews.models import WebhookAttempt, WebhookEvent
from interviews.webhooks.outside import NotAllowed

TIMEOUT_S = 10.0
"""From the first byte sent to the answer's headers."""
BODY_S, BODY_BYTES = 1.0, 64 * 1024
"""So much of the answer is read, so that the connection can be used again. It is not looked at."""
AGENT = b"interview-platform-webhooks/1"
Outcome = WebhookAttempt.Outcome


def message_of(event: WebhookEvent) -> dict[str, Any]:
    """Return what is told: type, timestamp (ISO 8601, UTC), and data: ids and a sequence."""
    return {
        "type": event.type,
        "timestamp": event.happened_at.isoformat(),
        "data": {**event.data, "sequence": event.sequence},
    }


def body_of(event: WebhookEvent) -> bytes:
    """Return the JSON that is sent."""
    return json.dumps(message_of(event), separators=(",", ":")).encode()


def headers_of(event: WebhookEvent, body: bytes, *, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """Return the headers: id, time and one signature for each secret."""
    message_id, now = str(event.pk), now.replace(microsecond=0)
    signatures = [Webhook(secret).sign(message_id, now, body.decode()) for secret in secrets]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": f"{now.timestamp():.0f}",
        "webhook-signature": " ".join(signatures),
    }


async def post(
    connections: httpcore.AsyncConnectionPool, url: str, body: bytes, headers: dict[str, str]
) -> tuple[Outcome, int | None]:
    """Send a request. Return what came of it, and the status code if there was one. Follows no redirect."""
    try:
        return await _post(connections, url, body, headers)
    except NotAllowed:
        return Outcome.NOT_ALLOWED, None
    except (TimeoutError, httpcore.TimeoutException):
        return Outcome.TIMEOUT, None
    except httpcore.ConnectError as error:
        is_insecure = isinstance(error.__context__, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError)
        return (Outcome.INSECURE if is_insecure else Outcome.UNREACHED), None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError, ValueError):
        return Outcome.UNREACHED, None


async def _post(
    connections: httpcore.AsyncConnectionPool, url: str, body: bytes, headers: dict[str, str]
) -> tuple[Outcome, int | None]:
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    async with contextlib.AsyncExitStack() as stack:
        async with asyncio.timeout(TIMEOUT_S):
            answer = await stack.enter_async_context(
                connections.stream("POST", url, headers=[*sent, (b"user-agent", AGENT)], content=body)
            )
        with contextlib.suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
            await _read_some(answer)
    return _outcome(answer.status), answer.status


async def _read_some(answer: httpcore.Response) -> None:
    count = 0
    async with asyncio.timeout(BODY_S):
        async for part in answer.aiter_stream():
            count += len(part)
            if count > BODY_BYTES:
                return


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.OK
    return Outcome.REDIRECT if 300 <= status < 400 else Outcome.STATUS
