"""Limit the requests and connections of a caller, and the connections of a process.

allowance = await count_request(caller)               # RateLimited: too many this minute
async with connection(caller): …                      # Busy: too many at once
"""

import asyncio
import logging
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
WRONG_KEYS = Policy("wrong-keys", limit=60, window_s=WINDOW_S)
"""Keys of a network that do not exist. Right keys go on: random keys cannot be guessed, but cost queries."""
LEASE_S = 60
"""The connections of a process that died count against its callers for this many seconds."""
PROCESS_RETRY_S = 5.0

logger = logging.getLogger(__name__)

_ENTER = lua.load(__file__, "connection_enter")


async def count_request(caller: Caller) -> Allowance:
    """Count a request of this caller.

    Raises:
        RateLimited: more than `REQUESTS_PER_MINUTE`.
    """
    return _within(await allowances.count(requests_policy(), caller.id))


def count_request_in_thread(caller_id: str) -> Allowance:
    """As `count_request`, in a thread. caller_id: of a `Caller`, such as "key:<uuid>"."""
    return _within(allowances.count_in_thread(requests_policy(), caller_id))


async def count_wrong_key(network: str) -> None:
    """Count a key that does not exist, from that network, and log it without the key.

    Raises:
        RateLimited: the network sent too many of them this minute.
    """
    _wrong_key(await allowances.count(WRONG_KEYS, network), network)


def count_wrong_key_in_thread(network: str) -> None:
    """As `count_wrong_key`, in a thread."""
    _wrong_key(allowances.count_in_thread(WRONG_KEYS, network), network)


def _wrong_key(allowance: Allowance, network: str) -> None:
    if not allowance.is_exceeded or allowance.is_first_refusal:
        logger.warning("wrong API key from %s: %d in this minute", network, allowance.used)
    if allowance.is_exceeded:
        raise refusal(allowance, "Too many calls with keys that do not exist came from your network")


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
