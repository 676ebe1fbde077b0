"""Work asked of a worker by somebody who waits for the answer.

    call = await calls.ask("tts", {"kind": "speak", …})      # Busy: the queue is too long
    async for part in call.parts():                           # as the worker sends them
        part.meta, part.body
    call.result                                               # the meta of the worker's last word

Everything lies in Redis and is gone soon after: one hash with the request and its audio, and one stream with
the parts of the answer, which any number of readers may follow. Two callers who ask with the same id share
one call: the first queues the job, both read all of its parts. The job itself carries the id alone.

A worker that dies before its first part costs the reader some seconds: the job is queued again, once. After
the first part the call fails, because another worker would not say exactly the same.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings

from voice import hot_audio, liveness, metrics, queues
from voice.engines.base import Busy, VoiceError

CALL_TTL_S = 300
"""A call and its answer outlive their last sign of life by so long."""
ANSWERED_TTL_S = 20
"""Kept after the last part for readers that are slower."""
FAILED_TTL_S = 3
"""A failure is kept only for those who wait already: the next to ask the same gets a new try."""
BUSY_RETRY_S = 5.0
BLOCK_MS = 1000
LOOK_AFTER_S = 3.0
"""A call without a sign for so long: is its worker alive?"""

_ASK = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if redis.call('LLEN', KEYS[2]) >= tonumber(ARGV[1]) then return -1 end
redis.call('HSET', KEYS[1], 'request', ARGV[2], 'audio', ARGV[3], 'asked_at', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""

Meta = dict[str, Any]


class CallFailed(VoiceError):
    """The worker could not do what was asked; `code` says of what kind that was."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the answer."""

    meta: Meta
    body: bytes = b""


# The side that asks


async def ask(
    queue_name: str,
    request: Mapping[str, Any],
    *,
    audio: bytes = b"",
    queue_limit: int,
    call_id: str | None = None,
) -> "Call":
    """Ask for work, or join those who asked for the same (`call_id`) and have no complete answer yet.

    audio: what the request is about; at most `settings.VOICE["MAX_UPLOAD_MB"]`.
    queue_limit: with so many jobs in the queue, nothing more is asked.

    Raises:
        Busy: too many jobs wait already.
    """
    call = Call(call_id or uuid4().hex, queue_name)
    keys = [_request_key(call.id), f"rq:queue:{queue_name}"]
    values: list[Any] = [queue_limit, json.dumps(request), audio, time.time(), CALL_TTL_S]
    outcome = await hot_audio.async_client().eval(_ASK, len(keys), *keys, *values)
    if outcome < 0:
        metrics.REFUSED.labels(reason=Busy.code).inc()
        raise Busy("Too many requests wait already; ask again later.", retry_after_s=BUSY_RETRY_S)
    if outcome:
        await asyncio.to_thread(queues.enqueue_now, queue_name, JOB, call.id, job_id=_job_id(call.id))
    return call


JOB = "voice.jobs.answer_call"


@dataclass(slots=True)
class Call:
    """One reader's view of a call."""

    id: str
    queue_name: str
    result: Meta = field(default_factory=dict)
    _last_id: bytes | str = "0"
    _was_queued_again: bool = False

    async def parts(self, *, within_s: float = 120.0) -> AsyncIterator[Part]:
        """The parts of the answer, from the first, as they come; `result` is complete after the last.

        within_s: the longest silence that is waited through.

        Raises:
            CallFailed: the worker said so, it died, or nothing came in time.
        """
        heard_at = looked_at = time.monotonic()
        while True:
            entries = await self._read()
            for kind, meta, body in entries:
                heard_at = looked_at = time.monotonic()
                match kind:
                    case b"part":
                        yield Part(meta, body)
                    case b"done":
                        self.result = meta
                        return
                    case _:
                        raise CallFailed(**meta)
            now = time.monotonic()
            if not entries and now - heard_at > within_s:
                raise CallFailed("timeout", f"No answer within {within_s:g} s; ask again later.")
            if not entries and now - looked_at > LOOK_AFTER_S:
                looked_at = now
                await self._look_for_worker()

    async def complete(self, *, within_s: float = 120.0) -> Meta:
        """Wait for the end of an answer whose parts do not matter; return its result.

        Raises:
            CallFailed: as `parts`.
        """
        async for _part in self.parts(within_s=within_s):
            pass
        return self.result

    async def forget(self) -> None:
        """Nobody waits any more: a worker will not begin, or stops at the next part."""
        await hot_audio.async_client().delete(_request_key(self.id), _answer_key(self.id))

    async def _read(self) -> list[tuple[bytes, Meta, bytes]]:
        found: Any = await _readers().xread({_answer_key(self.id): self._last_id}, count=16, block=BLOCK_MS)
        if not found:
            return []
        ((_, entries),) = found
        self._last_id = entries[-1][0]
        return [(fields[b"kind"], json.loads(fields[b"meta"]), fields[b"body"]) for _, fields in entries]

    async def _look_for_worker(self) -> None:
        is_pending = await asyncio.to_thread(liveness.is_pending, _job_id(self.id), hot_audio.sync_client())
        if is_pending:
            return
        if self._last_id != "0" or self._was_queued_again:
            raise CallFailed("engine_unavailable", "The worker ended in the middle of this; ask again.")
        self._was_queued_again = True
        await asyncio.to_thread(queues.enqueue_now, self.queue_name, JOB, self.id, job_id=_job_id(self.id))


# The worker's side


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as the worker sees it."""

    id: str
    request: Meta
    audio: bytes
    asked_at: float
    """Seconds of Unix time, by the clock of whoever asked."""

    def age_s(self) -> float:
        """Seconds since it was asked."""
        return max(0.0, time.time() - self.asked_at)

    def send(self, meta: Meta, body: bytes = b"") -> None:
        """Send a part of the answer.

        Raises:
            Forgotten: nobody waits for it any more.
        """
        self._add("part", meta, body)

    def finish(self, meta: Meta) -> None:
        """Say the last word."""
        self._add("done", meta, b"", ttl_s=ANSWERED_TTL_S)

    def fail(self, code: str, detail: str, *, field: str = "") -> None:
        """Say that it cannot be done."""
        self._add("error", {"code": code, "detail": detail, "field": field}, b"", ttl_s=FAILED_TTL_S)

    def _add(self, kind: str, meta: Meta, body: bytes, *, ttl_s: int = CALL_TTL_S) -> None:
        with hot_audio.sync_client().pipeline(transaction=False) as pipe:
            pipe.exists(_request_key(self.id))
            pipe.xadd(_answer_key(self.id), {"kind": kind, "meta": json.dumps(meta), "body": body})
            pipe.expire(_answer_key(self.id), ttl_s)
            pipe.expire(_request_key(self.id), ttl_s)
            is_wanted = pipe.execute()[0]
        if not is_wanted:
            hot_audio.sync_client().delete(_answer_key(self.id))
            raise Forgotten(self.id)


class Forgotten(Exception):
    """Nobody waits for the answer any more."""


def asked(call_id: str) -> Asked | None:
    """The call of that id; None when nobody waits for it any more, or it has an answer."""
    client = hot_audio.sync_client()
    request, audio, asked_at = cast(
        list[Any], client.hmget(_request_key(call_id), "request", "audio", "asked_at")
    )
    if request is None or client.exists(_answer_key(call_id)):
        return None
    return Asked(call_id, json.loads(request), audio, float(asked_at))


def _request_key(call_id: str) -> str:
    return f"voice:call:{call_id}"


def _answer_key(call_id: str) -> str:
    return f"voice:call:{call_id}:answer"


def _job_id(call_id: str) -> str:
    return f"call-{call_id}"


_reader_clients: WeakKeyDictionary = WeakKeyDictionary()


def _readers() -> redis.asyncio.Redis:
    """Connections that wait for answers: one a call under way, apart from those that must answer at once."""
    loop = asyncio.get_running_loop()
    if loop not in _reader_clients:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.REDIS_URL, max_connections=settings.VOICE["CALLS_AT_ONCE"], timeout=30
        )
        _reader_clients[loop] = redis.asyncio.Redis(connection_pool=pool)
    return _reader_clients[loop]
