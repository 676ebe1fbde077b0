"""Live captions: a worker transcribes the newest audio, if there is time for it."""

import asyncio
import time
from functools import partial
from uuid import UUID

import redis
from django.conf import settings

from voice import metrics
from voice.capacity import shedding
from voice.infra import redis_clients
from voice.live.captions import CaptionWanted
from voice.queues import jobs

QUEUE = "stt-partial"
WORTH_S = 3
"""A caption job that waits longer than this is stale: newer audio can be transcribed instead."""
LOOK_EVERY_S = 0.2
"""Hundreds of speakers want a caption about once a second; the queue's length is read this often for all."""


async def queue_caption(
    wanted: CaptionWanted,
    *,
    recording_id: UUID,
    language: str,
    reply_to: str,
    tenant: str = "",
    hot_words: str = "",
) -> bool:
    """Queue the recognition of a stretch of hot audio, if captions may be asked for.

    Its text arrives on channel `reply_to` as `voice.partial`.
    """
    if not await may_ask(QUEUE):
        return False
    job: tuple[str | int, ...] = (str(recording_id), wanted.start, wanted.end, language, reply_to)
    if hot_words:  # workers of the release before know no such argument
        job = (*job, hot_words)
    await asyncio.to_thread(
        jobs.enqueue_now,
        QUEUE,
        "voice.workers.transcription.recognise_partial",
        *job,
        worth_s=WORTH_S,
        tenant=tenant,
    )
    return True


async def may_ask(queue_name: str) -> bool:
    """Whether a caption may be queued now: captions are not shed, and the queue is short.

    Call it once for each wanted caption, because the answers are counted.
    """
    outcome = await _outcome(queue_name)
    metrics.CAPTIONS.labels(outcome=outcome).inc()
    return outcome == "asked"


async def _outcome(queue_name: str) -> str:
    if shedding.is_off(shedding.Step.CAPTIONS):
        return "off"
    try:
        queue = redis_clients.of_loop(f"captions:{queue_name}", partial(_Queue, queue_name))
        is_full = await queue.is_full()
    except redis.RedisError:
        return "unreachable"
    return "queue_full" if is_full else "asked"


class _Queue:
    """This event loop's view of a queue: of the jobs that wait or run, so that captions fill no worker."""

    def __init__(self, name: str) -> None:
        self._name = name

    _look_at = 0.0
    _room = 0  # how many more may be asked for until the next look

    async def is_full(self) -> bool:
        if time.monotonic() >= self._look_at:
            self._look_at, self._room = time.monotonic() + LOOK_EVERY_S, 0
            try:
                self._room = settings.PARTIAL_QUEUE_LIMIT - await jobs.n_now(self._name)
            except redis.RedisError:
                self._look_at = 0.0
                raise
        self._room -= 1
        return self._room < 0
