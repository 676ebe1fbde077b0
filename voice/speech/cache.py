"""A cache of rendered speech in Redis, shared by all processes; at its limit the least recently used goes.

An item is a hash with its bytes and its writer's notes about them. Beside the items there are an order of
last use, an order of expiry, the size of each item, and counts. One Lua call reads or writes everything that
belongs together. An item may disappear by itself, when it expires or Redis needs memory; the rest of its data
is removed when a script comes across it.

This is only a cache: while Redis is unreachable it finds and stores nothing.
"""

import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import redis
from django.conf import settings

from voice import metrics
from voice.infra import lua, redis_clients

PREFIX = "voice:cache:"
_ITEM_PREFIX = PREFIX + "item:"
_KEYS = [PREFIX + name for name in ("used", "expiry", "sizes", "counts")]
_SIZES = PREFIX + "sizes"
LARGEST_SHARE = 0.1
"""An item above this share of the limit would push out too many others."""
EXPIRED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class CachedSpeech:
    """Encoded audio and its description (a JSON object: format, voice, duration …)."""

    body: bytes
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statistics:
    """The contents of the cache, and its hits and misses since Redis was emptied."""

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
_FORGET = lua.load(__file__, "cache_forget", uses="cache_items")
_STATISTICS = lua.load(__file__, "cache_statistics", uses="cache_items")


async def get(key: str) -> CachedSpeech | None:
    """Return the speech cached under `key` (a hex SHA-256 of all its inputs), in one round trip."""
    try:
        item = await _GET.run_async(redis_clients.async_client(), [*_KEYS, _ITEM_PREFIX + key], [key])
    except redis.RedisError:
        item = None
    metrics.CACHE_REQUESTS.labels("hit" if item else "miss").inc()
    return CachedSpeech(item[0], json.loads(item[1])) if item else None


def peek(key: str) -> CachedSpeech | None:
    """Like `get`, for a worker: does not count as a use, a hit or a miss."""
    try:
        body, meta = cast(list[Any], redis_clients.sync_client().hmget(_ITEM_PREFIX + key, "body", "meta"))
    except redis.RedisError:
        return None
    return CachedSpeech(body, json.loads(meta)) if body else None


def put(key: str, cached: CachedSpeech) -> None:
    """Cache speech for `SPEECH_CACHE_TTL_S`, unless it is too large for `SPEECH_CACHE_MB`."""
    meta = json.dumps(cached.meta)
    bound_bytes = int(settings.SPEECH_CACHE_MB * 1_000_000)
    if len(cached.body) + len(meta) > LARGEST_SHARE * bound_bytes:
        return
    ttl_ms = int(settings.SPEECH_CACHE_TTL_S * 1000)
    args = [key, _ITEM_PREFIX, ttl_ms, bound_bytes, EXPIRED_AT_ONCE, cached.body, meta]
    with contextlib.suppress(redis.RedisError):
        _PUT.run(redis_clients.sync_client(), [*_KEYS, _ITEM_PREFIX + key], args)


def forget(keys: Iterable[str]) -> None:
    """Forget what is cached under these keys. Raises redis.RedisError."""
    for key in keys:
        _FORGET.run(redis_clients.sync_client(), [*_KEYS, _ITEM_PREFIX + key], [key])


def holds(key: str) -> bool:
    """Whether something is cached under the key. Raises redis.RedisError."""
    return bool(redis_clients.sync_client().exists(_ITEM_PREFIX + key))


def keys_by_speaker(speaker: str) -> list[str]:
    """Return the keys of what a voice `<engine>:<name>#<speaker>` said. Raises redis.RedisError."""
    client = redis_clients.sync_client()
    keys = [name.decode() for name in cast("list[bytes]", client.hkeys(_SIZES))]
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hget(_ITEM_PREFIX + key, "meta")
        metas = pipe.execute()
    return [key for key, meta in zip(keys, metas, strict=True) if _is_by(meta, speaker)]


def _is_by(meta: bytes | None, speaker: str) -> bool:
    voice = json.loads(meta).get("voice") if meta else None
    return str(voice).endswith(f"#{speaker}")


def statistics() -> Statistics:
    """The numbers of all processes together. Raises redis.RedisError."""
    return Statistics(*_STATISTICS.run(redis_clients.sync_client(), _KEYS, [EXPIRED_AT_ONCE]))
