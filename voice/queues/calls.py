"""Work for a worker whose caller waits for the answer.

    async with calls.submitted("tts", {"kind": "speak", …}) as call:   # Busy: too much waits
        async for part in call.parts():                                 # as the worker sends them
            part.meta, part.body
    call.result                                                         # the meta at the end of the answer

Leaving the block early is leaving the call. When its last reader has left, the work ends: a waiting job is
removed, and a worker stops before the next sentence or window.

Everything is in Redis and expires soon: a hash with the request and its audio until the work is done, and a
stream with the parts of the answer, which any number of readers may follow. Requests with the same
`shared_as` share one call while it runs. The job itself carries only the call's id.

A long answer has one reader, who says so (`parts(is_only_reader=True)`) and takes the parts out of Redis. The
worker waits for this reader (`ClaimedCall.send_when_taken`), so that Redis holds a few parts of it at most.

One worker answers: it claims the call, and parts from any other worker are refused. A worker that dies before
its first part costs its readers some seconds: one of them queues the job again, once. After the first part
the call fails for all of them, because another worker would not give exactly the same answer.
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
from rq.job import Job

from voice import metrics
from voice.errors import Busy, CallFailed
from voice.infra import lua, redis_clients
from voice.queues import jobs, leases, pools
from voice.queues.call_keys import (
    ANSWERED_TTL_S,
    CALL_TTL_S,
    READERS_SUFFIX,
    REQUEST_PREFIX,
    SHARED_PREFIX,
    WAIT_S,
    WITH_AUDIO,
    Meta,
    answer_key,
    job_id,
    readers_key,
    request_key,
    taken_key,
)

JOB = "voice.workers.answering.answer_call"
PARTS_A_READ = 2
"""A client that plays as it reads takes as long for a part as the part lasts; each read renews the call."""
BUSY_RETRY_S = 5.0
BLOCK_MS = 500
LOOK_AFTER_S = 3.0
"""A call without a sign for so long: is its worker alive?"""
AGAIN_S = 10
"""A job that was queued again may be between lists for some seconds."""

_ASK = lua.load(__file__, "call_ask")
_REQUEUE = lua.load(__file__, "call_requeue", uses="call_end")
_TAKE = lua.load(__file__, "call_take")
_LEAVE = lua.load(__file__, "call_leave", uses="call_end")

Entry = tuple[bytes, Meta, bytes]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the answer."""

    meta: Meta
    body: bytes = b""


@asynccontextmanager
async def submitted(
    queue_name: str,
    request: Mapping[str, Any],
    *,
    audio: bytes = b"",
    queue_limit: int,
    shared_as: str = "",
    tenant: str = "",
    needs: str = "",
) -> AsyncIterator["Call"]:
    """Start a call, or join a running one with the same `shared_as`; leave it at the end of the block.

    audio: the audio of the request; at most `settings.VOICE["MAX_UPLOAD_MB"]`.
    queue_limit: the call is refused if this many jobs of the tenant are in the queue.
    tenant: who asks; tenants take turns (`voice.queues.turns`).
    needs: what a worker must have for it (`voice.queues.pools`).

    Raises:
        Busy: too many jobs, or too much audio, wait already.
    """
    call = Call(uuid4().hex, queue_name, tenant, needs)
    try:  # also covers a cancellation while the call is being made
        await call.ask(request, audio=audio, queue_limit=queue_limit, shared_as=shared_as)
        yield call
    finally:
        await call.leave()


@dataclass(slots=True)
class Call:
    """One reader's view of a call."""

    id: str
    queue_name: str
    tenant: str = ""
    needs: str = ""
    reader: str = field(default_factory=lambda: uuid4().hex)
    result: Meta = field(default_factory=dict)
    _last_id: bytes = b"0"
    _taken_id: bytes = b"0"
    _renewed_at: float = field(default_factory=time.monotonic)

    async def ask(
        self, request: Mapping[str, Any], *, audio: bytes = b"", queue_limit: int, shared_as: str = ""
    ) -> None:
        """Start the call, or become a reader of a running one; see `submitted`, which also leaves it."""
        new_id, share = self.id, SHARED_PREFIX + shared_as
        waits_in = await pools.choose_now(self.queue_name, self.needs, redis_clients.async_client())
        keys = [share, request_key(new_id), jobs.key(waits_in), WITH_AUDIO]
        audio_limit = settings.VOICE["CALL_AUDIO_MB"] * 1024**2
        names = [new_id, REQUEST_PREFIX, READERS_SUFFIX, self.reader, self.tenant]
        limits = [Job.redis_job_namespace_prefix, int(bool(shared_as)), queue_limit, audio_limit, CALL_TTL_S]
        values = [*names, *limits, json.dumps(request), audio]
        try:
            found = await _ASK.run_async(redis_clients.async_client(), keys, values)
        except BaseException:
            if shared_as:
                await self._find(share)
            raise
        if found is None:
            metrics.REFUSED.labels(reason=Busy.code).inc()
            raise Busy("Too many requests wait already; ask again later.", retry_after_s=BUSY_RETRY_S)
        self.id = found.decode()
        if self.id == new_id:
            await self.queue(waits_in)

    async def _find(self, share: str) -> None:
        """Be the call that runs: this reader may have become one of its readers."""
        with suppress(redis.RedisError):
            running: Any = await redis_clients.async_client().get(share)
            self.id = running.decode() if running else self.id

    async def queue(self, list_name: str = "") -> None:
        """Queue the job, into that list if one is chosen."""
        about: Meta = {"tenant": self.tenant, "needs": self.needs, "list_name": list_name}
        await asyncio.to_thread(
            jobs.enqueue_now, self.queue_name, JOB, self.id, job_id=job_id(self.id), **about
        )

    async def parts(self, *, within_s: float = WAIT_S, is_only_reader: bool = False) -> AsyncIterator[Part]:
        """Yield the parts of the answer, from the first, as they arrive; `result` is set after the last.

        within_s: how long no worker may be at work on it. A worker's attendant limits the silence of that
        worker.
        is_only_reader: whether parts that were taken are dropped, and the worker waits for this reader.

        Raises:
            CallFailed: the worker reported it, it died, or no worker began in time.
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
            if is_only_reader and self._taken_id != self._last_id:
                await self._take()
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

    async def leave(self) -> None:
        """Read no more. Without readers a worker does not begin the call, or stops at the next part."""
        keys = [*self._keys, readers_key(self.id), Job.key_for(job_id(self.id)), taken_key(self.id)]
        values = [self.id, self.reader, job_id(self.id), jobs.key("")]
        with suppress(redis.RedisError):  # then it expires
            await _LEAVE.run_async(redis_clients.async_client(), keys, values)

    @property
    def _keys(self) -> list[str]:
        return [request_key(self.id), WITH_AUDIO, answer_key(self.id)]

    async def _read(self) -> list[Entry]:
        """Return the entries since the last read; none while Redis is unreachable."""
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

    async def _take(self) -> None:
        """Drop the parts read so far, and let the worker send more."""
        number = bytes(self._last_id).partition(b"-")[0]
        keys = [request_key(self.id), answer_key(self.id), taken_key(self.id)]
        with suppress(redis.ConnectionError, redis.TimeoutError):  # tried again after the next read
            await _TAKE.run_async(redis_clients.async_client(), keys, [number, CALL_TTL_S])
            self._taken_id = self._last_id

    async def _renew(self) -> None:
        """Keep the answer from expiring while it is being read."""
        if time.monotonic() - self._renewed_at > LOOK_AFTER_S:
            self._renewed_at = time.monotonic()
            await self._keep(answer_key(self.id), readers_key(self.id))

    async def _keep(self, *keys: str) -> None:
        async with redis_clients.async_client().pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.expire(key, CALL_TTL_S)
            await pipe.execute()

    async def _is_worked_on(self) -> bool:
        """Whether a live worker has claimed it. A job without queue or worker is queued again, once.

        Raises:
            CallFailed: nothing is left of it.
        """
        try:
            if await asyncio.to_thread(leases.is_pending, job_id(self.id), redis_clients.sync_client()):
                await self._keep(request_key(self.id), readers_key(self.id))
                return bool(await redis_clients.async_client().hexists(request_key(self.id), "worker"))
            values = [self.id, AGAIN_S, ANSWERED_TTL_S, json.dumps(_WORKER_ENDED)]
            verdict = await _REQUEUE.run_async(redis_clients.async_client(), self._keys, values)
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        if verdict < 0:
            raise CallFailed(**_WORKER_ENDED)
        if verdict:
            await self.queue()
        return False


def _check_cancelled() -> None:
    """Raise a cancellation that redis-py 8 lost; the task still records it."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


_WORKER_ENDED = {
    "code": "engine_unavailable",
    "detail": "The worker ended in the middle of this; ask again.",
}
