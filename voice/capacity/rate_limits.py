"""Limit the requests and connections of a caller, and the connections of a process.

allowance = await count_request(caller)               # RateLimited: too many this minute
async with connection(caller): …                      # Busy: too many at once
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import redis
from django.conf import settings

from voice import metrics
from voice.callers import Caller
from voice.capacity import allowances
from voice.capacity.allowances import Allowance, Policy
from voice.errors import Busy, RateLimited
from voice.infra import lua, redis_clients

WINDOW_S = 60
LEASE_S = 60
"""The connections of a process that died count against its callers for this many seconds."""
PROCESS_RETRY_S = 5.0

_ENTER = lua.load(__file__, "connection_enter")


async def count_request(caller: Caller) -> Allowance:
    """Count a request of this caller.

    Raises:
        RateLimited: more than `REQUESTS_PER_MINUTE`.
    """
    return _within(await allowances.count(requests_policy(), caller.id))


def count_request_in_thread(caller: Caller) -> Allowance:
    """As `count_request`, in a thread."""
    return _within(allowances.count_in_thread(requests_policy(), caller.id))


def requests_policy() -> Policy:
    """Return how many requests a caller may send."""
    return Policy("requests", limit=settings.VOICE["REQUESTS_PER_MINUTE"], window_s=WINDOW_S)


def _within(allowance: Allowance) -> Allowance:
    if allowance.is_exceeded:
        raise refusal(allowance, f"At most {allowance.policy.limit} requests a minute")
    return allowance


def refusal(allowance: Allowance, rule: str) -> RateLimited:
    """Return the error for an allowance that is exceeded, and count it. rule: what is allowed, in words."""
    metrics.REFUSED.labels(reason=RateLimited.code).inc()
    detail = f"{rule}; ask again in {allowance.reset_s} s."
    return RateLimited(detail, retry_after_s=float(allowance.reset_s), headers=allowance.headers)


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


async def connections_of(caller: Caller) -> int | None:
    """Return how many connections the caller has; None while Redis is away."""
    try:
        return await redis_clients.async_client().zcard(_key(caller))
    except redis.RedisError:
        return None


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
