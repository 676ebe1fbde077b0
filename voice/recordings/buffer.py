"""The buffer in Redis for audio being recorded, until object storage holds it.

A recording is cut into segments of 20 s, a key each. Its hash has `writer` (the connection that may write),
`limit` (bytes accepted at most), `stored` (how many bytes are in object storage and no longer here) and
`filling` (the number of the segment that grows). A frame is checked and appended in one step of Lua, so any
process may serve any frame, the same frame twice is harmless, and held bytes are never overwritten. A writer
with `HOT_BYTES` here must wait until object storage has taken some, so that one recording never fills the
memory. After `RESTS_AFTER_S` without new audio, all of a recording moves to object storage; its writer may
continue later.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from uuid import UUID

from redis.client import Pipeline

from voice.audio.pcm import BYTES_A_SECOND
from voice.capacity import shedding
from voice.infra import lua
from voice.infra.coalescing import PACE_S, Coalesced
from voice.infra.redis_clients import async_client, audio_client, of_loop, sync_client

HOT_TTL_S = 7 * 24 * 3600
"""Longest life of an unfinished recording, if no worker moves or stores it."""
SEGMENT_BYTES = 20 * BYTES_A_SECOND
HOT_BYTES = 3 * SEGMENT_BYTES
"""The most audio of one recording in Redis: 60 s."""
KEPT_BYTES = 15 * BYTES_A_SECOND
"""The newest audio of a growing recording stays here: a live caption reads up to 15 s of it."""
DUE_BYTES = SEGMENT_BYTES + KEPT_BYTES
"""When this much is buffered, a segment goes to object storage."""
RESTS_AFTER_S = 120
"""After this many seconds without a new segment or a new opening, all of a recording moves."""

ERASED_FOR_S = 30
"""Longer than a process takes between the read of a row and the opening of its buffer."""

UNHURRIED_PACE_S = 0.06
"""Frames wait for company so long while captions are off. At a thousand candidates a round trip then carries
three times as many, and costs as much."""

EXTENTS_AT_ONCE = 500
"""Recordings that are queried in one round trip."""


class Erased(Exception):
    """The recording was erased; its buffer cannot be opened."""


class Outcome(Enum):
    """The outcome of writing a frame. lua/buffer_write.lua answers with these names."""

    HELD = auto()
    GAP = auto()  # it begins beyond what is held
    OVER_LIMIT = auto()
    TAKEN_OVER = auto()  # another connection writes now
    UNOPENED = auto()  # Redis knows nothing of the recording (it lost its data, or it was never opened)
    FULL = auto()  # object storage has to take some first


_OUTCOMES = {outcome.name.encode(): outcome for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class Write:
    """The outcome, how many bytes are held without a gap, and how many of these are in object storage."""

    outcome: Outcome
    held_bytes: int
    stored_bytes: int

    @property
    def is_segment_due(self) -> bool:
        """Whether object storage should take a segment."""
        return self.held_bytes - self.stored_bytes >= DUE_BYTES


# Each gets the prefix of its recording's keys; the keys of the hash and of the segments follow from it.
_OPEN = lua.load(__file__, "buffer_open", uses="buffer_segments")
_WRITE = lua.load(__file__, "buffer_write")
_SEAL = lua.load(__file__, "buffer_seal", uses="buffer_segments")
_EXTENT = lua.load(__file__, "buffer_extent", uses="buffer_segments")
_LET_GO = lua.load(__file__, "buffer_let_go", uses="buffer_segments")
_DELETE = lua.load(__file__, "buffer_delete", uses="buffer_segments")


def _key(recording_id: UUID | str) -> str:
    return f"voice:recording:{recording_id}"


async def open_for(recording_id: UUID, *, writer: str, limit_bytes: int, stored_bytes: int = 0) -> int:
    """Make `writer` the only writer, for up to `limit_bytes`; return the bytes already held.

    stored_bytes: how many bytes are in object storage, in case Redis lost the recording.

    Raises:
        Erased: the recording was erased within the last `ERASED_FOR_S`.
    """
    args = [SEGMENT_BYTES, writer, limit_bytes, stored_bytes, HOT_TTL_S]
    held: int | None = await _OPEN.run_async(async_client(), [_key(recording_id)], args)
    if held is None:
        raise Erased
    return held


async def write(recording_id: UUID, *, writer: str, offset: int, pcm: bytes) -> Write:
    """Append the part of `pcm`, which begins at byte `offset`, that is not held yet.

    Concurrent frames of all recordings share one round trip.
    """
    write_frame = of_loop("writes", lambda: Coalesced(_write_all, pace_s=_pace_s))
    return await write_frame((_key(recording_id), writer, offset, pcm))


def _pace_s() -> float:
    return UNHURRIED_PACE_S if shedding.is_off(shedding.Step.CAPTIONS) else PACE_S


async def _write_all(frames: list[tuple[str, str, int, bytes]]) -> list[Write]:
    keys = [frame[0] for frame in frames]
    args = [SEGMENT_BYTES, HOT_BYTES, HOT_TTL_S, *(value for frame in frames for value in frame[1:])]
    words = (await _WRITE.run_async(audio_client(), keys, args)).split()
    return [
        Write(_OUTCOMES[outcome], int(held), int(stored))
        for outcome, held, stored in zip(words[::3], words[1::3], words[2::3], strict=True)
    ]


def seal(recording_id: UUID, *, at_least: int) -> int:
    """Accept nothing beyond what is held, if that is `at_least` bytes; return the bytes held."""
    return _run(_SEAL, recording_id, at_least)


def read(recording_id: UUID | str, start: int = 0, end: int | None = None) -> bytes:
    """Return the bytes held in [start, end); none if some of them are already in object storage."""
    end = start + HOT_BYTES if end is None else end  # the buffer never holds more
    first, key = start // SEGMENT_BYTES, _key(recording_id)
    with sync_client().pipeline(transaction=True) as pipe:  # no segment may be dropped in between
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


def held(recording_id: UUID | str) -> int:
    """Return how many bytes are held without a gap; 0 of a recording that Redis does not know."""
    _stored, held_bytes, _age_s = _run(_EXTENT, recording_id, HOT_TTL_S)
    return int(held_bytes)


def due(recording_id: UUID | str) -> tuple[int, int] | None:
    """The stretch [start, end) that object storage should take next, if it is time."""
    return _due(*_run(_EXTENT, recording_id, HOT_TTL_S))


def all_due(recording_ids: list[UUID]) -> list[UUID]:
    """Return the recordings with a range that is due for object storage."""
    extents: list[tuple[int, int, int]] = []
    for at in range(0, len(recording_ids), EXTENTS_AT_ONCE):
        with sync_client().pipeline(transaction=False) as pipe:
            for recording_id in recording_ids[at : at + EXTENTS_AT_ONCE]:
                _run(_EXTENT, recording_id, HOT_TTL_S, pipeline=pipe)
            extents += pipe.execute()
    return [each for each, extent in zip(recording_ids, extents, strict=True) if _due(*extent)]


def _due(stored: int, held: int, age_s: int) -> tuple[int, int] | None:
    is_resting = held > stored and age_s >= RESTS_AFTER_S
    if held - stored < DUE_BYTES and not is_resting:
        return None
    return stored, min((stored // SEGMENT_BYTES + 1) * SEGMENT_BYTES, held)


def let_go(recording_id: UUID | str, stored_bytes: int) -> None:
    """Object storage holds so many bytes: forget those of them that are here."""
    _run(_LET_GO, recording_id, stored_bytes)


def delete(recording_id: UUID | str) -> None:
    """Forget the audio at once: Redis keeps what has only expired until it happens upon it."""
    _run(_DELETE, recording_id)


def erase(recording_id: UUID | str) -> None:
    """Forget the audio. A process that read the row before it was erased can no longer open the buffer."""
    sync_client().set(f"{_key(recording_id)}:erased", 1, ex=ERASED_FOR_S)  # first: none is opened afterwards
    delete(recording_id)


def keys(recording_id: UUID | str) -> list[str]:
    """Return the keys that Redis holds of the recording: without its hash there is none."""
    meta = f"{_key(recording_id)}:meta"
    return [meta] if sync_client().exists(meta) else []


def _run(
    script: lua.LuaScript, recording_id: UUID | str, *args: int, pipeline: Pipeline | None = None
) -> Any:
    return script.run(pipeline or sync_client(), [_key(recording_id)], [SEGMENT_BYTES, *args])
