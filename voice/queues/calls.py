"""Work asked of a worker by somebody who waits for the answer.

    call = await calls.submit("tts", {"kind": "speak", …})      # Busy: too much waits
    async for part in call.parts():                           # as the worker sends them
        part.meta, part.body
    call.result                                               # the meta of the worker's last word

Everything lies in Redis and is gone soon after: a hash with the request and its audio while the work lasts,
and a stream with the parts of the answer, which any number of readers may follow. Those who ask with the same
`shared_as` while the work lasts share one call. The job itself carries the call's id alone.

One worker answers: it claims the call, and a part of anybody else is refused. A worker that dies before its
first part costs its readers some seconds: one of them queues the job again, once. After the first part the
call fails for all of them, because another worker would not say exactly the same.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings

from voice import metrics
from voice.errors import Busy, CallFailed
from voice.infra import redis_clients
from voice.queues import call_scripts, jobs, leases
from voice.queues.call_scripts import (
    ANSWERED_TTL_S,
    CALL_TTL_S,
    WAIT_S,
    Meta,
    answer_key,
    job_id,
    request_key,
)

JOB = "voice.workers.answering.answer_call"
PARTS_A_READ = 2
"""A client that listens while it reads takes as long for a part as it lasts: each read renews the stay."""
BUSY_RETRY_S = 5.0
BLOCK_MS = 500
LOOK_AFTER_S = 3.0
"""A call without a sign for so long: is its worker alive?"""

Entry = tuple[bytes, Meta, bytes]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the answer."""

    meta: Meta
    body: bytes = b""


# The side that asks


async def submit(
    queue_name: str,
    request: Mapping[str, Any],
    *,
    audio: bytes = b"",
    queue_limit: int,
    call_id: str | None = None,
    shared_as: str = "",
) -> "Call":
    """Submit work, or join those who asked for the same (`shared_as`) while it is being done.

    audio: what the request is about; at most `settings.VOICE["MAX_UPLOAD_MB"]`.
    queue_limit: with so many jobs in the queue, nothing more is asked.
    call_id: a new name for the call, for who must be able to `forget` it even if cancelled in here.

    Raises:
        Busy: too many jobs, or too much audio, wait already.
    """
    new_id = call_id or uuid4().hex
    keys = [call_scripts.SHARES + shared_as, request_key(new_id), jobs.key(queue_name)]
    audio_limit = settings.VOICE["CALL_AUDIO_MB"] * 1024**2
    values: list[Any] = [new_id, queue_limit, json.dumps(request), audio, CALL_TTL_S, audio_limit]
    found = await redis_clients.async_client().eval(
        call_scripts.ASK, len(keys), *keys, *values, int(bool(shared_as))
    )
    if found is None:
        metrics.REFUSED.labels(reason=Busy.code).inc()
        raise Busy("Too many requests wait already; ask again later.", retry_after_s=BUSY_RETRY_S)
    call = Call(found.decode(), queue_name)
    if call.id == new_id:
        await call.queue()
    return call


@asynccontextmanager
async def submitted(
    queue_name: str, request: Mapping[str, Any], *, audio: bytes, queue_limit: int
) -> AsyncIterator["Call"]:
    """As `submit`, for work that only this block waits for: leaving it early lets a worker drop the work.

    Raises:
        Busy: too many jobs, or too much audio, wait already.
    """
    call_id = uuid4().hex
    try:  # from here on: who is cancelled while submitting leaves no work behind either
        yield await submit(queue_name, request, audio=audio, queue_limit=queue_limit, call_id=call_id)
    finally:
        await Call(call_id, queue_name).forget()


@dataclass(slots=True)
class Call:
    """One reader's view of a call."""

    id: str
    queue_name: str
    result: Meta = field(default_factory=dict)
    _last_id: bytes | str = "0"
    _renewed_at: float = field(default_factory=time.monotonic)

    async def queue(self) -> None:
        """Put the job into its queue."""
        await asyncio.to_thread(jobs.enqueue_now, self.queue_name, JOB, self.id, job_id=job_id(self.id))

    async def parts(self, *, within_s: float = WAIT_S) -> AsyncIterator[Part]:
        """The parts of the answer, from the first, as they come; `result` is complete after the last.

        within_s: how long nobody may work on it. A worker's silence is ended by its watchdog.

        Raises:
            CallFailed: the worker said so, it died, or nobody began in time.
        """
        alive_at = looked_at = time.monotonic()
        while True:
            entries = await self._read()
            _check_cancelled()
            for kind, meta, body in entries:
                match kind:
                    case b"part":
                        yield Part(meta, body)
                    case b"done":
                        self.result = meta
                        return
                    case _:
                        raise CallFailed(**meta)
            now = time.monotonic()
            if entries:
                alive_at = looked_at = now
            elif now - looked_at > LOOK_AFTER_S:
                looked_at = now
                if await self._is_worked_on():
                    alive_at = now
            if now - alive_at > within_s:
                raise CallFailed("timeout", f"No answer within {within_s:g} s; ask again later.")

    async def complete(self, *, within_s: float = WAIT_S) -> Meta:
        """Wait for the end of an answer whose parts do not matter; return its result.

        Raises:
            CallFailed: as `parts`.
        """
        async for _part in self.parts(within_s=within_s):
            pass
        return self.result

    async def forget(self) -> None:
        """Nobody waits any more: a worker will not begin, or stops at the next part."""
        with suppress(redis.RedisError):  # then it expires
            await redis_clients.async_client().eval(call_scripts.FORGET, 1, answer_key(self.id), self.id)

    async def _read(self) -> list[Entry]:
        """What came since the last look; nothing while Redis is away."""
        try:
            found: Any = await redis_clients.waiting_client().xread(
                {answer_key(self.id): self._last_id}, count=PARTS_A_READ, block=BLOCK_MS
            )
            if not found:
                return []
            await self._renew()
        except (redis.ConnectionError, redis.TimeoutError):
            await asyncio.sleep(BLOCK_MS / 1000)
            return []
        ((_, entries),) = found
        self._last_id = entries[-1][0]
        return [(fields[b"kind"], json.loads(fields[b"meta"]), fields[b"body"]) for _, fields in entries]

    async def _renew(self) -> None:
        """Let the answer stay while somebody reads it."""
        if time.monotonic() - self._renewed_at > LOOK_AFTER_S:
            self._renewed_at = time.monotonic()
            await redis_clients.async_client().expire(answer_key(self.id), CALL_TTL_S)

    async def _is_worked_on(self) -> bool:
        """Whether a living worker has claimed it. A job that nobody has any more is queued again, once.

        Raises:
            CallFailed: nothing is left of it.
        """
        try:
            if await asyncio.to_thread(leases.is_pending, job_id(self.id), redis_clients.sync_client()):
                await redis_clients.async_client().expire(request_key(self.id), CALL_TTL_S)
                return bool(await redis_clients.async_client().hexists(request_key(self.id), "worker"))
            keys = [request_key(self.id), answer_key(self.id)]
            verdict = await redis_clients.async_client().eval(
                call_scripts.ABANDONED, len(keys), *keys, self.id, ANSWERED_TTL_S, json.dumps(_WORKER_ENDED)
            )
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        if verdict < 0:
            raise CallFailed(**_WORKER_ENDED)
        if verdict:
            await self.queue()
        return False


def _check_cancelled() -> None:
    """redis-py 8 can lose a cancellation; the task still knows of it."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


_WORKER_ENDED = {
    "code": "engine_unavailable",
    "detail": "The worker ended in the middle of this; ask again.",
}


# The worker's side
