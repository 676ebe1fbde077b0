"""Rendered speech in Redis, for all processes: the least recently used goes when the bound is reached.

An item is a hash with its bytes and what its writer noted about them. Beside the items lie an order of last
use, an order of expiry, the size of each item, and counts. One Lua call reads or writes all that belongs
together. An item may vanish by itself, when its time is over or Redis needs memory; its traces are removed
when they are met.

This is only a cache: while Redis is away nothing is found and nothing is kept.
"""

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any, cast

import redis
from django.conf import settings

from voice import metrics
from voice.infra import lua, redis_clients

PREFIX = "voice:cache:"
_ITEM_PREFIX = PREFIX + "item:"
_KEYS = [PREFIX + name for name in ("used", "expiry", "sizes", "counts")]
LARGEST_SHARE = 0.1
"""An item above this share of the bound would push out too many others."""
EXPIRED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class CachedSpeech:
    """Encoded audio, and what is worth knowing of it (a JSON object: format, voice, duration …)."""

    body: bytes
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the cache holds, and how often it helped since Redis was emptied."""

    items: int
    bytes: int
    hits: int
    misses: int

    @property
    def megabytes(self) -> float:
        return self.bytes / 1_000_000

    @property
    def hit_percent(self) -> float:
        return 100 * self.hit_rate

    @property
    def hit_rate(self) -> float:
        """0..1; 0 before the first request."""
        return self.hits / max(self.hits + self.misses, 1)


_GET = lua.load(__file__, "cache_get", uses="cache_items")
_PUT = lua.load(__file__, "cache_put", uses="cache_items")
_STATISTICS = lua.load(__file__, "cache_statistics", uses="cache_items")


async def get(key: str) -> CachedSpeech | None:
    """The speech kept under `key` (a hex SHA-256 of all that shaped it), in one round trip."""
    try:
        item = await _GET.run_async(redis_clients.async_client(), [*_KEYS, _ITEM_PREFIX + key], [key])
    except redis.RedisError:
        item = None
    metrics.CACHE_REQUESTS.labels("hit" if item else "miss").inc()
    return CachedSpeech(item[0], json.loads(item[1])) if item else None


def peek(key: str) -> CachedSpeech | None:
    """As `get`, for a worker: neither a use nor counted."""
    try:
        body, meta = cast(list[Any], redis_clients.sync_client().hmget(_ITEM_PREFIX + key, "body", "meta"))
    except redis.RedisError:
        return None
    return CachedSpeech(body, json.loads(meta)) if body else None


def put(key: str, cached: CachedSpeech) -> None:
    """Keep speech for `SPEECH_CACHE_TTL_S`, unless it is too large for `SPEECH_CACHE_MB`."""
    meta = json.dumps(cached.meta)
    bound_bytes = int(settings.SPEECH_CACHE_MB * 1_000_000)
    if len(cached.body) + len(meta) > LARGEST_SHARE * bound_bytes:
        return
    ttl_ms = int(settings.SPEECH_CACHE_TTL_S * 1000)
    args = [key, _ITEM_PREFIX, ttl_ms, bound_bytes, EXPIRED_AT_ONCE, cached.body, meta]
    with contextlib.suppress(redis.RedisError):
        _PUT.run(redis_clients.sync_client(), [*_KEYS, _ITEM_PREFIX + key], args)


def statistics() -> Statistics:
    """The numbers of all processes together. Raises redis.RedisError."""
    return Statistics(*_STATISTICS.run(redis_clients.sync_client(), _KEYS, [EXPIRED_AT_ONCE]))
