"""What was recognised of a recording while it grew, in Redis until the transcript is written.

Losing it costs time only: the job of the transcript recognises what is missing.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, cast
from uuid import UUID

from voice.infra.redis_clients import sync_client
from voice.types import Segment, Window, Word

KEPT_S = 3600
"""Longer than an answer and its transcript take; afterwards the rest is recognised again."""
BUSY_S = 10
"""So long a job that ended without a word is waited for."""
LISTEN_S = 2
_PROGRESS = "progress"


@dataclass(frozen=True, slots=True)
class Heard:
    """The recognition of one window. Times in seconds of the recording."""

    segments: tuple[Segment, ...]
    language: str
    language_probability: float


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept of a recording.

    progress: how far its windows are known, as it was written; None if nothing is kept.
    heard: by `name_of`.
    """

    progress: dict[str, Any] | None = None
    heard: Mapping[str, Heard] = field(default_factory=dict)


def name_of(window: Window, *, language: str, hot_words: str, engine: str, model: str) -> str:
    """Return the name of a window's recognition; what changes the text is part of it."""
    spans = [[span.start, span.end] for span in window.spans]
    about = json.dumps([spans, language, hot_words, engine, model])
    return hashlib.blake2b(about.encode(), digest_size=16).hexdigest()


def read(recording_id: UUID | str) -> Kept:
    """Return what is kept of the recording."""
    fields = cast("dict[bytes, bytes]", sync_client().hgetall(_key(recording_id)))
    progress = fields.pop(_PROGRESS.encode(), None)
    heard = {name.decode(): _heard(value) for name, value in fields.items()}
    return Kept(json.loads(progress) if progress else None, heard)


def write(
    recording_id: UUID | str, heard: Mapping[str, Heard], progress: dict[str, Any] | None = None
) -> None:
    """Keep it beside what is kept. Whoever writes looks afterwards whether the recording was discarded.

    progress: None leaves it as it was. What it calls complete must be kept.
    """
    fields: dict[Any, Any] = {name: json.dumps(asdict(each)) for name, each in heard.items()}
    if progress is not None:
        fields[_PROGRESS] = json.dumps(progress)
    if fields:
        with sync_client().pipeline() as pipe:
            pipe.hset(_key(recording_id), mapping=fields)
            pipe.expire(_key(recording_id), KEPT_S)
            pipe.execute()


@contextmanager
def working_on(recording_id: UUID | str, names: Sequence[str]) -> Iterator[None]:
    """Let `wait_for` wait until the block has ended, or its process for `BUSY_S`."""
    client = sync_client()
    with client.pipeline() as pipe:
        for name in names:
            pipe.delete(_bell(recording_id, name))
            pipe.set(_busy(recording_id, name), 1, ex=BUSY_S)
        pipe.execute()
    try:
        yield
    finally:
        with client.pipeline() as pipe:
            for name in names:
                pipe.delete(_busy(recording_id, name))
                pipe.rpush(_bell(recording_id, name), 1)
                pipe.expire(_bell(recording_id, name), BUSY_S)
            pipe.execute()


def wait_for(recording_id: UUID | str, names: Sequence[str]) -> bool:
    """Wait while another job works on these windows; return whether one did."""
    has_waited = False
    for name in names:
        while sync_client().exists(_busy(recording_id, name)):
            sync_client().blpop([_bell(recording_id, name)], LISTEN_S)
            has_waited = True
    return has_waited


def erase(recording_id: UUID | str) -> None:
    """Forget what was recognised of the recording."""
    sync_client().delete(_key(recording_id))


def keys(recording_id: UUID | str) -> list[str]:
    """Return the keys that Redis holds of it."""
    return [_key(recording_id)] if sync_client().exists(_key(recording_id)) else []


def _heard(value: bytes) -> Heard:
    fields = json.loads(value)
    segments = tuple(
        Segment(**segment | {"words": tuple(Word(**word) for word in segment["words"])})
        for segment in fields["segments"]
    )
    return Heard(**fields | {"segments": segments})


def _key(recording_id: UUID | str) -> str:
    return f"voice:recording:{recording_id}:kept"


def _busy(recording_id: UUID | str, name: str) -> str:
    return f"voice:recording:{recording_id}:busy:{name}"


def _bell(recording_id: UUID | str, name: str) -> str:
    return f"voice:recording:{recording_id}:bell:{name}"
