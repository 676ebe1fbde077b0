"""Audio being recorded, in Redis, until object storage holds it.

A recording is cut into segments of 20 s, a key each. Its hash has `writer` (the connection that may write),
`limit` (bytes accepted at most), `stored` (so many bytes lie in object storage, and no longer here) and
`filling` (the number of the segment that grows). A frame is checked and appended in one step of Lua, so any
process may serve any frame, the same frame twice is harmless, and nothing that is held is ever overwritten.
Who has `HOT_BYTES` here already is asked to wait until object storage has taken some: one recording never
fills the memory. What nobody goes on with for `RESTS_AFTER_S` moves there whole, until somebody does.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any
from uuid import UUID

from redis.client import Pipeline
from redis.commands.core import Script

from voice.audio.pcm import BYTES_A_SECOND
from voice.infra.coalescing import Coalesced
from voice.infra.redis_clients import async_client, audio_client, of_loop, sync_client

HOT_TTL_S = 7 * 24 * 3600
"""Longest life of what nobody finishes, should no worker move or store it."""
SEGMENT_BYTES = 20 * BYTES_A_SECOND
HOT_BYTES = 3 * SEGMENT_BYTES
"""A recording's audio in Redis at most: 60 s."""
KEPT_BYTES = 15 * BYTES_A_SECOND
"""The newest audio of a recording that goes on stays here: a live caption reads up to 15 s of it."""
DUE_BYTES = SEGMENT_BYTES + KEPT_BYTES
"""From so much on a segment goes to object storage."""
RESTS_AFTER_S = 120
"""Of a recording that has neither begun a segment nor been opened again for so long, all of it."""

EXTENTS_AT_ONCE = 500
"""Recordings that are asked about in one round trip."""


class Outcome(IntEnum):
    """What became of a frame."""

    HELD = 0
    GAP = 1  # it begins beyond what is held
    OVER_LIMIT = 2
    TAKEN_OVER = 3  # another connection writes now
    UNOPENED = 4  # Redis knows nothing of the recording (it lost its data, or it was never opened)
    FULL = 5  # object storage has to take some first


OUTCOMES = tuple(Outcome)  # by number; calling an enum costs Python ten times as much


@dataclass(frozen=True, slots=True)
class Write:
    """The outcome, how many bytes are held without a gap, and how many of these in object storage."""

    outcome: Outcome
    held_bytes: int
    stored_bytes: int

    @property
    def is_segment_due(self) -> bool:
        """Whether object storage should take a segment."""
        return self.held_bytes - self.stored_bytes >= DUE_BYTES


# Every script gets the key prefix of its recording; the keys of the segments follow from it. Of the segment
# in which `stored` ends, the key has only the bytes after it.
_HELD = f"""
local meta = KEYS[1] .. ':meta'
local function segment(n) return KEYS[1] .. ':' .. n end
local function held_in(filling, stored)
  return math.max(filling * {SEGMENT_BYTES}, stored) + redis.call('STRLEN', segment(filling))
end
local function forget(stored, filling, to)
  local first, last = math.floor(stored / {SEGMENT_BYTES}), math.floor(to / {SEGMENT_BYTES})
  for n = first, math.min(last - 1, filling) do redis.call('DEL', segment(n)) end
  local gone = to - math.max(last * {SEGMENT_BYTES}, stored)
  if gone > 0 then
    local rest = redis.call('GETRANGE', segment(last), gone, -1)
    local ttl = math.max(redis.call('TTL', segment(last)), 1)
    redis.call('DEL', segment(last))  -- first: SET is refused while Redis is full
    if #rest > 0 then redis.call('SET', segment(last), rest, 'EX', ttl) end
  end
  filling = math.max(filling, last)
  redis.call('HSET', meta, 'stored', to, 'filling', filling)
  return filling
end
"""

_OPEN = (
    _HELD
    + f"""
local found = redis.call('HMGET', meta, 'stored', 'filling')
local known, filling = tonumber(found[1] or 0), tonumber(found[2] or 0)
local stored = math.max(tonumber(ARGV[3]), known)
if stored > known or not found[1] then filling = forget(known, filling, stored) end
redis.call('HSET', meta, 'writer', ARGV[1], 'limit', ARGV[2])
redis.call('EXPIRE', meta, {HOT_TTL_S})
for n = math.floor(stored / {SEGMENT_BYTES}), filling do redis.call('EXPIRE', segment(n), {HOT_TTL_S}) end
return held_in(filling, stored)
"""
)

# Frames of many recordings in one call: a key and three arguments each. The answer is one line of text, three
# numbers a frame: reading a list of lists costs Python several times as much.
_WRITE = (
    f"""
local function write(prefix, writer, from, pcm)
  local meta = prefix .. ':meta'
  local found = redis.call('HMGET', meta, 'writer', 'limit', 'stored', 'filling')
  if not found[2] then return {Outcome.UNOPENED:d}, 0, 0 end
  local filling, stored = tonumber(found[4]), tonumber(found[3])
  local held = math.max(filling * {SEGMENT_BYTES}, stored) + redis.call('STRLEN', prefix .. ':' .. filling)
  if found[1] ~= writer then return {Outcome.TAKEN_OVER:d}, held, stored end
  local to = from + #pcm
  if from > held then return {Outcome.GAP:d}, held, stored end
  if to <= held then return {Outcome.HELD:d}, held, stored end
  if to > tonumber(found[2]) then return {Outcome.OVER_LIMIT:d}, held, stored end
  if to - stored > {HOT_BYTES} then return {Outcome.FULL:d}, held, stored end
  while held < to do
    local full_at = (filling + 1) * {SEGMENT_BYTES}
    local key, piece = prefix .. ':' .. filling, string.sub(pcm, held - from + 1, full_at - from)
    if redis.call('APPEND', key, piece) == #piece then
      redis.call('EXPIRE', key, {HOT_TTL_S})
      redis.call('EXPIRE', meta, {HOT_TTL_S})
    end
    held = held + #piece
    if held == full_at then
      filling = filling + 1
      redis.call('HSET', meta, 'filling', filling)
    end
  end
  return {Outcome.HELD:d}, held, stored
end
"""
    """
local answers = {}
for i, prefix in ipairs(KEYS) do
  local outcome, held, stored = write(prefix, ARGV[3 * i - 2], tonumber(ARGV[3 * i - 1]), ARGV[3 * i])
  answers[i] = outcome .. ' ' .. held .. ' ' .. stored
end
return table.concat(answers, ' ')
"""
)

_SEAL = (
    _HELD
    + """
local found = redis.call('HMGET', meta, 'filling', 'stored', 'limit')
if not found[3] then return 0 end
local held = held_in(tonumber(found[1]), tonumber(found[2]))
if held >= tonumber(ARGV[1]) then redis.call('HSET', meta, 'limit', held) end
return held
"""
)

# [bytes in object storage, bytes held, seconds for which nobody has gone on]; zeros of one that is not known
_EXTENT = (
    _HELD
    + f"""
local found = redis.call('HMGET', meta, 'stored', 'filling')
if not found[2] then return {{0, 0, 0}} end
local stored, filling = tonumber(found[1]), tonumber(found[2])
local newest_s = math.max(redis.call('TTL', segment(filling)), redis.call('TTL', segment(filling - 1)))
return {{stored, held_in(filling, stored), {HOT_TTL_S} - newest_s}}
"""
)

_LET_GO = (
    _HELD
    + """
local found = redis.call('HMGET', meta, 'stored', 'filling')
if found[2] and tonumber(ARGV[1]) > tonumber(found[1]) then
  forget(tonumber(found[1]), tonumber(found[2]), tonumber(ARGV[1]))
end
"""
)

_DELETE = (
    _HELD
    + f"""
local found = redis.call('HMGET', meta, 'stored', 'filling')
if not found[2] then return end
local first = math.floor(tonumber(found[1]) / {SEGMENT_BYTES})
for n = first, tonumber(found[2]) do redis.call('DEL', segment(n)) end
redis.call('DEL', meta)
"""
)


def _key(recording_id: UUID | str) -> str:
    return f"voice:recording:{recording_id}"


async def open_for(recording_id: UUID, *, writer: str, limit_bytes: int, stored_bytes: int = 0) -> int:
    """Let `writer`, and from now on only it, write up to `limit_bytes`; return the bytes already held.

    stored_bytes: so many are in object storage, should Redis have forgotten it.
    """
    script = async_client().register_script(_OPEN)
    return await script(keys=[_key(recording_id)], args=[writer, limit_bytes, stored_bytes])


async def write(recording_id: UUID, *, writer: str, offset: int, pcm: bytes) -> Write:
    """Append what of `pcm`, which begins at byte `offset`, is not held yet.

    Frames of all recordings that come at the same time share one round trip.
    """
    write_frame = of_loop("writes", lambda: Coalesced(_write_all))
    return await write_frame((_key(recording_id), writer, offset, pcm))


async def _write_all(frames: list[tuple[str, str, int, bytes]]) -> list[Write]:
    script = of_loop("writing", lambda: audio_client().register_script(_WRITE))
    keys = [frame[0] for frame in frames]
    args = [value for frame in frames for value in frame[1:]]
    numbers = [int(number) for number in (await script(keys=keys, args=args)).split()]
    return [
        Write(OUTCOMES[outcome], held, stored)
        for outcome, held, stored in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    ]


def seal(recording_id: UUID, *, at_least: int) -> int:
    """Accept nothing beyond what is held, if that is `at_least` bytes; return the bytes held."""
    return _call(_SEAL, recording_id, at_least)


def read(recording_id: UUID | str, start: int = 0, end: int | None = None) -> bytes:
    """The bytes held in [start, end); none if some of them lie in object storage already."""
    end = start + HOT_BYTES if end is None else end  # more is never here
    first, key = start // SEGMENT_BYTES, _key(recording_id)
    with sync_client().pipeline(transaction=True) as pipe:  # nothing may be let go in between
        pipe.hmget(f"{key}:meta", "stored", "filling")
        for number in range(first, max(0, end - 1) // SEGMENT_BYTES + 1):
            pipe.get(f"{key}:{number}")
        (stored, filling), *segments = pipe.execute()
    if filling is None or start < int(stored):
        return b""
    del segments[max(0, int(filling) + 1 - first) :]
    if not all(segments[:-1]):
        return b""  # expired
    pcm = b"".join(segment or b"" for segment in segments)
    begins = max(first * SEGMENT_BYTES, int(stored))
    return pcm[start - begins : end - begins]


def due(recording_id: UUID | str) -> tuple[int, int] | None:
    """The stretch [start, end) that object storage should take next, if it is time."""
    return _due(*_call(_EXTENT, recording_id))


def all_due(recording_ids: list[UUID]) -> list[UUID]:
    """Those of which object storage should take something."""
    extents: list[tuple[int, int, int]] = []
    for at in range(0, len(recording_ids), EXTENTS_AT_ONCE):
        with sync_client().pipeline(transaction=False) as pipe:
            for recording_id in recording_ids[at : at + EXTENTS_AT_ONCE]:
                _call(_EXTENT, recording_id, client=pipe)
            extents += pipe.execute()
    return [each for each, extent in zip(recording_ids, extents, strict=True) if _due(*extent)]


def _due(stored: int, held: int, age_s: int) -> tuple[int, int] | None:
    is_resting = held > stored and age_s >= RESTS_AFTER_S
    if held - stored < DUE_BYTES and not is_resting:
        return None
    return stored, min((stored // SEGMENT_BYTES + 1) * SEGMENT_BYTES, held)


def let_go(recording_id: UUID | str, stored_bytes: int) -> None:
    """Object storage holds so many bytes: forget those of them that are here."""
    _call(_LET_GO, recording_id, stored_bytes)


def delete(recording_id: UUID) -> None:
    """Forget the audio at once: Redis keeps what has only expired until it happens upon it."""
    _call(_DELETE, recording_id)


def _call(script: str, recording_id: UUID | str, *args: int, client: Pipeline | None = None) -> Any:
    return _registered(script)(keys=[_key(recording_id)], args=args, client=client)


@cache
def _registered(script: str) -> Script:
    return sync_client().register_script(script)
