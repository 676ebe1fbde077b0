"""Live captions: a worker transcribes the newest audio, if there is time for it."""

import asyncio
import time
from uuid import UUID

import redis
from django.conf import settings

from voice import metrics
from voice.capacity import shedding
from voice.infra import redis_clients
from voice.live.captions import CaptionWanted
from voice.queues import jobs

WORTH_S = 3
"""A caption job that waits longer than this is stale: newer audio can be transcribed instead."""
LOOK_EVERY_S = 0.2
"""Hundreds of speakers want a caption about once a second; the queue's length is read this often for all."""


async def queue_caption(wanted: CaptionWanted, *, recording_id: UUID, language: str, reply_to: str) -> bool:
    """Queue the recognition of a stretch of hot audio, if captions may be asked for.

    Its text arrives on channel `reply_to` as `voice.partial`.
    """
    if not await may_ask():
        return False
    job = (str(recording_id), wanted.start, wanted.end, language, reply_to)
    await asyncio.to_thread(
        jobs.enqueue_now,
        "stt-partial",
        "voice.workers.transcription.recognise_partial",
        *job,
        worth_s=WORTH_S,
    )
    return True


async def may_ask() -> bool:
    """Whether a caption may be queued now: captions are not shed, and their queue is short.

    Call it once for each wanted caption, because the answers are counted.
    """
    outcome = await _outcome()
    metrics.CAPTIONS.labels(outcome=outcome).inc()
    return outcome == "asked"


async def _outcome() -> str:
    if shedding.is_off(shedding.Step.CAPTIONS):
        return "off"
    try:
        is_full = await redis_clients.of_loop("captions", _Queue).is_full()
    except redis.RedisError:
        return "unreachable"
    return "queue_full" if is_full else "asked"


class _Queue:
    """This event loop's view of the queue."""

    _look_at = 0.0
    _room = 0  # how many more fit until the next look

    async def is_full(self) -> bool:
        if time.monotonic() >= self._look_at:
            self._look_at, self._room = time.monotonic() + LOOK_EVERY_S, 0
            try:
                self._room = settings.PARTIAL_QUEUE_LIMIT - await jobs.length_now("stt-partial")
            except redis.RedisError:
                self._look_at = 0.0
                raise
        self._room -= 1
        return self._room < 0
