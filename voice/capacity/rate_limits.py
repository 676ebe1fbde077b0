"""How much one caller may ask for, and how many connections one process carries.

allowance = await count_request(caller)                # RateLimited: too many this minute
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
from voice.infra import redis_clients

WINDOW_S = 60
LEASE_S = 60
"""A process that died holds its callers' places for so long."""
PROCESS_RETRY_S = 5.0

_COUNT = f"""
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], {WINDOW_S}) end
return {{used, redis.call('TTL', KEYS[1])}}
"""

_ENTER = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of this minute's requests."""

    limit: int
    remaining: int
    reset_s: int

    @property
    def headers(self) -> dict[str, str]:
        """Source: draft-ietf-httpapi-ratelimit-headers-03, whose three fields most clients know."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


async def count_request(caller: Caller) -> Allowance:
    """Count a request of this caller; with Redis away, nobody is refused.

    Raises:
        RateLimited: more than `REQUESTS_PER_MINUTE`.
    """
    limit = settings.VOICE["REQUESTS_PER_MINUTE"]
    try:
        used, reset_s = await redis_clients.async_client().eval(_COUNT, 1, f"voice:requests:{caller.id}")
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
    """A place for one more connection of this caller to this process.

    Raises:
        Busy: the process or the caller has as many as it may.
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


async def _enter(caller: Caller, place: str) -> None:
    limit = settings.VOICE["CONNECTIONS_PER_KEY"]
    try:
        is_in = await redis_clients.async_client().eval(_ENTER, 1, _key(caller), place, limit, LEASE_S)
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
