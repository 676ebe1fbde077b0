"""Audio being recorded, in Redis, until object storage holds it.

A recording is cut into segments of 20 s, a key each. Its hash has `writer` (the connection that may write),
`limit` (bytes accepted at most), `stored` (so many segments lie in object storage, and no longer here) and
`filling` (the segment that grows). A frame is checked and appended in one step of Lua, so any process may
serve any frame, the same frame twice is harmless, and nothing that is held is ever overwritten. Who has
`HOT_BYTES` here already is asked to wait until object storage has taken some: one recording never fills the
memory.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any
from uuid import UUID

from redis.commands.core import Script

from voice.captions import BYTES_A_SECOND, LONGEST_BYTES
from voice.gathering import Gathered
from voice.redis_clients import async_client, audio_client, of_loop, sync_client

HOT_TTL_S = 7 * 24 * 3600
"""Longest life of audio that nobody finishes or resumes; `SESSION_IDLE_HOURS` ends it much sooner."""
STORED_TTL_S = 10
"""Kept this long after it was stored, for a transcription that is about to read it."""
SEGMENT_BYTES = 20 * BYTES_A_SECOND
HOT_BYTES = 3 * SEGMENT_BYTES
"""A recording's audio in Redis at most: 60 s."""
KEPT_BYTES = LONGEST_BYTES
"""The newest audio stays here, for the live captions."""
DUE_BYTES = SEGMENT_BYTES + KEPT_BYTES
"""From so much on a segment goes to object storage."""


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


# Every script gets the key prefix of its recording; the keys of the segments follow from it.
_HELD = f"""
local meta = KEYS[1] .. ':meta'
local function segment(n) return KEYS[1] .. ':' .. n end
local function held_in(filling) return filling * {SEGMENT_BYTES} + redis.call('STRLEN', segment(filling)) end
"""

_OPEN = (
    _HELD
    + """
local known = tonumber(redis.call('HGET', meta, 'stored') or 0)
local stored = math.max(tonumber(ARGV[3]), known)
for n = known, stored - 1 do redis.call('DEL', segment(n)) end
local filling = math.max(stored, tonumber(redis.call('HGET', meta, 'filling') or 0))
redis.call('HSET', meta, 'writer', ARGV[1], 'limit', ARGV[2], 'stored', stored, 'filling', filling)
redis.call('EXPIRE', meta, ARGV[4])
for n = stored, filling do redis.call('EXPIRE', segment(n), ARGV[4]) end
return held_in(filling)
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
  local filling, stored = tonumber(found[4]), tonumber(found[3]) * {SEGMENT_BYTES}
  local held = filling * {SEGMENT_BYTES} + redis.call('STRLEN', prefix .. ':' .. filling)
  if found[1] ~= writer then return {Outcome.TAKEN_OVER:d}, held, stored end
  local to = from + #pcm
  if from > held then return {Outcome.GAP:d}, held, stored end
  if to <= held then return {Outcome.HELD:d}, held, stored end
  if to > tonumber(found[2]) then return {Outcome.OVER_LIMIT:d}, held, stored end
  if to - stored > {HOT_BYTES} then return {Outcome.FULL:d}, held, stored end
  while held < to do
    local full_at = (filling + 1) * {SEGMENT_BYTES}
    local key, piece = prefix .. ':' .. filling, string.sub(pcm, held - from + 1, full_at - from)
    if redis.call('APPEND', key, piece) == #piece then redis.call('EXPIRE', key, {HOT_TTL_S}) end
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
local found = redis.call('HMGET', meta, 'filling', 'limit')
if not found[2] then return 0 end
local held = held_in(tonumber(found[1]))
if held >= tonumber(ARGV[1]) then redis.call('HSET', meta, 'limit', held) end
return held
"""
)

# [segments in object storage, the segment that grows, bytes held]; zeros of a recording that is not known
_EXTENT = (
    _HELD
    + """
local found = redis.call('HMGET', meta, 'stored', 'filling')
if not found[2] then return {0, 0, 0} end
return {tonumber(found[1]), tonumber(found[2]), held_in(tonumber(found[2]))}
"""
)

_LET_GO = (
    _HELD
    + """
local found = redis.call('HMGET', meta, 'stored', 'filling')
if found[1] ~= ARGV[1] or tonumber(found[2]) <= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', meta, 'stored', ARGV[1] + 1)
return redis.call('DEL', segment(ARGV[1]))
"""
)

_EXPIRE = (
    _HELD
    + """
local found = redis.call('HMGET', meta, 'stored', 'filling')
if not found[2] then return 0 end
for n = tonumber(found[1]), tonumber(found[2]) do redis.call('EXPIRE', segment(n), ARGV[1]) end
return redis.call('EXPIRE', meta, ARGV[1])
"""
)


def _key(recording_id: UUID | str) -> str:
    return f"voice:recording:{recording_id}"


async def open_for(recording_id: UUID, *, writer: str, limit_bytes: int, stored_segments: int = 0) -> int:
    """Let `writer`, and from now on only it, write up to `limit_bytes`; return the bytes already held.

    stored_segments: so many segments are in object storage, should Redis have forgotten it.
    """
    script = async_client().register_script(_OPEN)
    return await script(keys=[_key(recording_id)], args=[writer, limit_bytes, stored_segments, HOT_TTL_S])


async def write(recording_id: UUID, *, writer: str, offset: int, pcm: bytes) -> Write:
    """Append what of `pcm`, which begins at byte `offset`, is not held yet.

    Frames of all recordings that come at the same time share one round trip.
    """
    write_frame = of_loop("writes", lambda: Gathered(_write_all))
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
    with sync_client().pipeline(transaction=False) as pipe:
        pipe.hmget(f"{key}:meta", "stored", "filling")
        for number in range(first, max(0, end - 1) // SEGMENT_BYTES + 1):
            pipe.get(f"{key}:{number}")
        (stored, filling), *segments = pipe.execute()
    if filling is None or start < int(stored) * SEGMENT_BYTES:
        return b""
    del segments[max(0, int(filling) + 1 - first) :]
    if not all(segments[:-1]):
        return b""  # let go while they were read
    pcm = b"".join(segment or b"" for segment in segments)
    begins = first * SEGMENT_BYTES
    return pcm[start - begins : end - begins]


def due_segment(recording_id: UUID | str) -> int | None:
    """The number of the segment that object storage should take next, if it is time."""
    stored, _, held = _call(_EXTENT, recording_id)
    return stored if held - stored * SEGMENT_BYTES >= DUE_BYTES else None


def let_go(recording_id: UUID | str, number: int) -> None:
    """Object storage holds segment `number`, the first that is here: forget it."""
    _call(_LET_GO, recording_id, number)


def expire_soon(recording_id: UUID) -> None:
    """Let the audio go a while after it was stored."""
    _call(_EXPIRE, recording_id, STORED_TTL_S)


def delete(recording_id: UUID) -> None:
    """Forget the audio at once."""
    _call(_EXPIRE, recording_id, 0)


def _call(script: str, recording_id: UUID | str, *args: int) -> Any:
    return _registered(script)(keys=[_key(recording_id)], args=args)


@cache
def _registered(script: str) -> Script:
    return sync_client().register_script(script)
