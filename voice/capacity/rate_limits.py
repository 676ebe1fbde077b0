"""Limit the requests and connections of a caller, and the connections of a process.

allowance = await count_request(caller)               # RateLimited: too many this minute
async with connection(caller): …                      # Busy: too many at once
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

import redis
from django.conf import settings

from voice import metrics
from voice.callers import Caller
from voice.errors import Busy, RateLimited
from voice.infra import lua, redis_clients

WINDOW_S = 60
LEASE_S = 60
"""The connections of a process that died count against its callers for this many seconds."""
PROCESS_RETRY_S = 5.0

_COUNT = lua.load(__file__, "request_count")
_ENTER = lua.load(__file__, "connection_enter")


@dataclass(frozen=True, slots=True)
class Allowance:
    """The requests that remain this minute."""

    limit: int
    remaining: int
    reset_s: int

    @property
    def headers(self) -> dict[str, str]:
        """Return headers that most clients know.

        Source: draft-ietf-httpapi-ratelimit-headers-03.
        """
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


async def count_request(caller: Caller) -> Allowance:
    """Count a request of this caller; without Redis every request is admitted.

    Raises:
        RateLimited: more than `REQUESTS_PER_MINUTE`.
    """
    limit = settings.VOICE["REQUESTS_PER_MINUTE"]
    try:
        client = redis_clients.async_client()
        used, reset_s = await _COUNT.run_async(client, [f"voice:requests:{caller.id}"], [WINDOW_S])
    except redis.RedisError:
        return Allowance(limit, limit, WINDOW_S)
    if used > limit:
        metrics.REFUSED.labels(reason=RateLimited.code).inc()
        raise RateLimited(
            f"At most {limit} requests a minute; ask again in {reset_s} s.", retry_after_s=float(reset_s)
        )
    return Allowance(limit, limit - used, reset_s)


_connections = 0


@asynccontextmanager
async def connection(caller: Caller) -> AsyncIterator[None]:
    """Hold one connection of this caller to this process.

    Raises:
        Busy: the process or the caller has reached its limit of connections.
    """
    global _connections
    limit = settings.VOICE["CONNECTIONS"]
    if _connections >= limit:
        metrics.REFUSED.labels(reason=Busy.code).inc()
        raise Busy(f"This server carries {limit} connections at most.", retry_after_s=PROCESS_RETRY_S)
    _connections += 1
    place = uuid4().hex
    try:
        await _enter(caller, place)
        renewing = asyncio.create_task(_stay(caller, place))
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(redis.RedisError):
                await redis_clients.async_client().zrem(_key(caller), place)
    finally:
        _connections -= 1


def open_connections(caller: Caller) -> int:
    """Return how many connections the caller has, in all processes. For a thread.

    Raises:
        redis.RedisError: Redis is away.
    """
    client = redis_clients.sync_client()
    now_s, _ = client.time()
    return int(client.zcount(_key(caller), f"({now_s}", "+inf"))


async def _enter(caller: Caller, place: str) -> None:
    limit = settings.VOICE["CONNECTIONS_PER_KEY"]
    try:
        client = redis_clients.async_client()
        is_in = await _ENTER.run_async(client, [_key(caller)], [place, limit, LEASE_S])
    except redis.RedisError:
        return  # the process's own limit still holds
    if not is_in:
        metrics.REFUSED.labels(reason=Busy.code).inc()
        raise Busy(f"You have {limit} connections already; close one.", retry_after_s=PROCESS_RETRY_S)


async def _stay(caller: Caller, place: str) -> None:
    while True:
        await asyncio.sleep(LEASE_S / 3)
        with suppress(redis.RedisError, Busy):
            await _enter(caller, place)


def _key(caller: Caller) -> str:
    return f"voice:connections:{caller.id}"
