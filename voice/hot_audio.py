"""Audio being recorded, in Redis, until object storage holds it.

Two keys a recording: the PCM bytes, and a hash with `writer` (the connection that may write) and `limit`
(bytes accepted at most). One Lua call a frame checks and appends atomically, so any process may serve any
frame, the same frame twice is harmless, and nothing that is held is ever overwritten.
"""

import asyncio
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import cast
from uuid import UUID
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings

HOT_TTL_S = 7 * 24 * 3600
"""Longest life of audio that nobody finishes or resumes; `SESSION_IDLE_HOURS` ends it much sooner."""
STORED_TTL_S = 600
"""Kept this long after it was stored, for a transcription that still reads it."""


class Outcome(IntEnum):
    """What became of a frame."""

    HELD = 0
    GAP = 1  # it begins beyond what is held
    OVER_LIMIT = 2
    TAKEN_OVER = 3  # another connection writes now
    UNOPENED = 4  # Redis knows nothing of the recording (it lost its data, or it was never opened)


@dataclass(frozen=True, slots=True)
class Write:
    """The outcome, and how many bytes are held without a gap."""

    outcome: Outcome
    held_bytes: int


_OPEN = """
redis.call('HSET', KEYS[2], 'writer', ARGV[1], 'limit', ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return redis.call('STRLEN', KEYS[1])
"""

_WRITE = f"""
local meta = redis.call('HMGET', KEYS[2], 'writer', 'limit')
local held = redis.call('STRLEN', KEYS[1])
if not meta[2] then return {{{Outcome.UNOPENED:d}, held}} end
if meta[1] ~= ARGV[1] then return {{{Outcome.TAKEN_OVER:d}, held}} end
local from, size = tonumber(ARGV[2]), #ARGV[3]
if from > held then return {{{Outcome.GAP:d}, held}} end
if from + size <= held then return {{{Outcome.HELD:d}, held}} end
if from + size > tonumber(meta[2]) then return {{{Outcome.OVER_LIMIT:d}, held}} end
local now = redis.call('APPEND', KEYS[1], string.sub(ARGV[3], held - from + 1))
if held == 0 then redis.call('EXPIRE', KEYS[1], ARGV[4]) end
return {{{Outcome.HELD:d}, now}}
"""

_SEAL = """
local held = redis.call('STRLEN', KEYS[1])
if held >= tonumber(ARGV[1]) and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'limit', held)
end
return held
"""


def _keys(recording_id: UUID | str) -> list[str]:
    return [f"voice:recording:{recording_id}:pcm", f"voice:recording:{recording_id}:meta"]


_async_clients: WeakKeyDictionary = WeakKeyDictionary()


def async_client() -> redis.asyncio.Redis:
    """The Redis client of the running event loop; it waits for a free connection rather than fail."""
    return _client_of_loop("prompt", max_connections=50, timeout=10)


def waiting_client() -> redis.asyncio.Redis:
    """Connections that wait for answers, one a call under way, apart from those that must answer at once."""
    return _client_of_loop("waiting", max_connections=settings.VOICE["CALLS_AT_ONCE"], timeout=30)


def _client_of_loop(name: str, **limits: int) -> redis.asyncio.Redis:
    clients = _async_clients.setdefault(asyncio.get_running_loop(), {})
    if name not in clients:
        pool = redis.asyncio.BlockingConnectionPool.from_url(settings.REDIS_URL, **limits)
        clients[name] = redis.asyncio.Redis(connection_pool=pool)
    return clients[name]


async def close_async_clients() -> None:
    """Close the connections of the running event loop, which is about to end."""
    for client in _async_clients.pop(asyncio.get_running_loop(), {}).values():
        await client.aclose()
        await client.connection_pool.disconnect()


@cache
def sync_client() -> redis.Redis:
    """The Redis client of this process, for threads."""
    pool = redis.BlockingConnectionPool.from_url(settings.REDIS_URL, max_connections=20, timeout=10)
    return redis.Redis(connection_pool=pool)


async def open_for(recording_id: UUID, *, writer: str, limit_bytes: int) -> int:
    """Let `writer`, and from now on only it, write up to `limit_bytes`; return the bytes already held."""
    script = async_client().register_script(_OPEN)
    return await script(keys=_keys(recording_id), args=[writer, limit_bytes, HOT_TTL_S])


async def write(recording_id: UUID, *, writer: str, offset: int, pcm: bytes) -> Write:
    """Append what of `pcm`, which begins at byte `offset`, is not held yet."""
    script = async_client().register_script(_WRITE)
    outcome, held = await script(keys=_keys(recording_id), args=[writer, offset, pcm, HOT_TTL_S])
    return Write(Outcome(outcome), held)


def seal(recording_id: UUID, *, at_least: int) -> int:
    """Accept nothing beyond what is held, if that is `at_least` bytes; return the bytes held."""
    return sync_client().register_script(_SEAL)(keys=_keys(recording_id), args=[at_least])


def read(recording_id: UUID | str, start: int = 0, end: int | None = None) -> bytes:
    """The bytes held in [start, end)."""
    last = -1 if end is None else end - 1
    return cast(bytes, sync_client().getrange(_keys(recording_id)[0], start, last))


def expire_soon(recording_id: UUID) -> None:
    """Let the audio go a while after it was stored."""
    with sync_client().pipeline() as pipe:
        for key in _keys(recording_id):
            pipe.expire(key, STORED_TTL_S)
        pipe.execute()


def delete(recording_id: UUID) -> None:
    """Forget the audio at once."""
    sync_client().delete(*_keys(recording_id))
