"""Recognise ahead: what was said before a pause, while it is not yet decided whether the turn is over."""

import asyncio
from uuid import UUID

import redis

from voice import metrics
from voice.capacity import shedding
from voice.queues import jobs, pools

QUEUE = "stt-ahead"
WORTH_S = 2
"""After so long the turn has ended, or its speaker has gone on."""
LULL_MS = 192
"""A silence at which recognition goes ahead: six frames. The newest sound takes a moment to come and to be
heard, so it begins about 300 ms after the last word."""


async def queue_ahead(*, recording_id: UUID, language: str = "", tenant: str = "") -> bool:
    """Queue the recognition of what was recorded so far, if workers have time; return whether they do."""
    outcome = await _outcome()
    metrics.AHEAD.labels(outcome=outcome).inc()
    if outcome == "asked":
        await asyncio.to_thread(
            jobs.enqueue_now,
            QUEUE,
            "voice.workers.transcription.recognise_on_the_way",
            str(recording_id),
            worth_s=WORTH_S,
            tenant=tenant,
            needs=pools.language(language),
        )
    return outcome == "asked"


def is_off() -> bool:
    """Whether this process leaves it undone, because of load."""
    return shedding.is_off(shedding.Step.SPECULATION)


async def _outcome() -> str:
    if is_off():
        return "off"
    try:
        has_time = await jobs.has_spare_workers("stt", QUEUE)
    except redis.RedisError:
        return "unreachable"
    return "asked" if has_time else "busy"
