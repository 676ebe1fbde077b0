"""Live captions of a recording under way: its newest audio, recognised by a worker."""

import asyncio
from uuid import UUID

import redis
from django.conf import settings

from voice import queues
from voice.captions import PartialWanted


async def queue_partial(wanted: PartialWanted, *, recording_id: UUID, language: str, reply_to: str) -> bool:
    """Queue the recognition of a stretch of hot audio.

    Its text comes to channel `reply_to` as `voice.partial`. False if the queue is full or not reached:
    captions are the first thing to go under load.
    """
    try:
        if await queues.length_now("stt-partial") >= settings.PARTIAL_QUEUE_LIMIT:
            return False
        job = (str(recording_id), wanted.start, wanted.end, language, reply_to)
        await asyncio.to_thread(queues.enqueue_now, "stt-partial", "voice.jobs.recognise_partial", *job)
    except redis.RedisError:
        return False
    return True
