"""A cache of rendered speech in Redis, shared by all processes; at its limit the least recently used goes.

An item is a hash with its bytes and its writer's notes about them. Beside the items there are an order of
last use, an order of expiry, the size of each item, and counts. One Lua call reads or writes everything that
belongs together. An item may disappear by itself, when it expires or Redis needs memory; the rest of its data
is removed when a script comes across it.

This is only a cache: while Redis is unreachable it finds and stores nothing.
"""

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any, cast

import redis
from django.conf import settings

from voice import metrics
from voice.infra import redis_clients

PREFIX = "voice:cache:"
_KEYS = [PREFIX + name for name in ("used", "expiry", "sizes", "counts")]
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


# The keys of items are built inside the script, because only there it is known which items go.
_COMMON = f"""
local used, expiry, sizes, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function forget(key)
  local size = redis.call('HGET', sizes, key)
  if not size then return end
  redis.call('HDEL', sizes, key)
  redis.call('ZREM', used, key)
  redis.call('ZREM', expiry, key)
  redis.call('HINCRBY', counts, 'bytes', -size)
end
local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end
local function forget_expired()
  local over = redis.call('ZRANGEBYSCORE', expiry, '-inf', now_ms(), 'LIMIT', 0, {EXPIRED_AT_ONCE})
  for _, key in ipairs(over) do forget(key) end
end
local function use(key)
  redis.call('ZADD', used, redis.call('HINCRBY', counts, 'uses', 1), key)
end
"""

_GET = (
    _COMMON
    + f"""
local item = redis.call('HMGET', '{PREFIX}item:' .. ARGV[1], 'body', 'meta')
if not item[1] then
  forget(ARGV[1])
  redis.call('HINCRBY', counts, 'misses', 1)
  return false
end
use(ARGV[1])
redis.call('HINCRBY', counts, 'hits', 1)
return item
"""
)

_PUT = (
    _COMMON
    + f"""
local function count_again()  -- some of the bookkeeping was lost
  for _, key in ipairs(redis.call('ZRANGE', used, 0, -1)) do
    if redis.call('HEXISTS', sizes, key) == 0 then
      redis.call('UNLINK', '{PREFIX}item:' .. key)
      redis.call('ZREM', used, key)
    end
  end
  local held, all = 0, redis.call('HGETALL', sizes)
  for i = 1, #all, 2 do
    redis.call('ZADD', used, 'NX', 0, all[i])
    held = held + all[i + 1]
  end
  redis.call('HSET', counts, 'bytes', held)
  return held
end
local key, ttl_ms, bound = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local item, size = '{PREFIX}item:' .. key, #ARGV[4] + #ARGV[5]
forget_expired()
forget(key)
redis.call('HSET', item, 'body', ARGV[4], 'meta', ARGV[5])
redis.call('PEXPIRE', item, ttl_ms)
redis.call('HSET', sizes, key, size)
redis.call('ZADD', expiry, now_ms() + ttl_ms, key)
use(key)
local is_counted = redis.call('HEXISTS', counts, 'bytes') == 1
local held = redis.call('HINCRBY', counts, 'bytes', size)
local is_whole = is_counted and held >= size and redis.call('HLEN', sizes) == redis.call('ZCARD', used)
if not is_whole then held = count_again() end
while held > bound do
  local oldest = redis.call('ZRANGE', used, 0, 0)[1]
  if not oldest or oldest == key then break end
  redis.call('UNLINK', '{PREFIX}item:' .. oldest)
  forget(oldest)
  held = tonumber(redis.call('HGET', counts, 'bytes'))
end
"""
)

_STATISTICS = (
    _COMMON
    + """
forget_expired()
local numbers = {redis.call('HLEN', sizes)}
for _, count in ipairs({'bytes', 'hits', 'misses'}) do
  table.insert(numbers, tonumber(redis.call('HGET', counts, count) or 0))
end
return numbers
"""
)


async def get(key: str) -> CachedSpeech | None:
    """Return the speech cached under `key` (a hex SHA-256 of all its inputs), in one round trip."""
    try:
        item = await redis_clients.async_client().register_script(_GET)(keys=_KEYS, args=[key])
    except redis.RedisError:
        item = None
    metrics.CACHE_REQUESTS.labels("hit" if item else "miss").inc()
    return CachedSpeech(item[0], json.loads(item[1])) if item else None


def peek(key: str) -> CachedSpeech | None:
    """Like `get`, for a worker: does not count as a use, a hit or a miss."""
    try:
        body, meta = cast(list[Any], redis_clients.sync_client().hmget(f"{PREFIX}item:{key}", "body", "meta"))
    except redis.RedisError:
        return None
    return CachedSpeech(body, json.loads(meta)) if body else None


def put(key: str, cached: CachedSpeech) -> None:
    """Cache speech for `SPEECH_CACHE_TTL_S`, unless it is too large for `SPEECH_CACHE_MB`."""
    meta = json.dumps(cached.meta)
    bound_bytes = int(settings.SPEECH_CACHE_MB * 1_000_000)
    if len(cached.body) + len(meta) > LARGEST_SHARE * bound_bytes:
        return
    args: list[Any] = [key, int(settings.SPEECH_CACHE_TTL_S * 1000), bound_bytes, cached.body, meta]
    with contextlib.suppress(redis.RedisError):
        redis_clients.sync_client().register_script(_PUT)(keys=_KEYS, args=args)


def statistics() -> Statistics:
    """Return the totals of all processes. Raises redis.RedisError."""
    return Statistics(*redis_clients.sync_client().register_script(_STATISTICS)(keys=_KEYS))
