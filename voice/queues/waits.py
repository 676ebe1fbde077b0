"""Measure how many jobs wait in each queue and how long the first has waited, in one round trip."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import redis
import redis.asyncio
from rq.job import Job
from rq.queue import Queue
from rq.utils import str_to_date

from voice.infra import lua


class Wait(NamedTuple):
    """A queue at this moment. oldest_s: seconds since its first job was queued; 0 when no job waits."""

    length: int
    oldest_s: float


_READ = lua.load(__file__, "waits_read")


def read(names: Sequence[str], connection: redis.Redis) -> dict[str, Wait]:
    """The queues of these names. Raises redis.RedisError."""
    return _parsed(names, _READ.run(connection, *_arguments(names)))


async def read_now(names: Sequence[str], connection: redis.asyncio.Redis) -> dict[str, Wait]:
    """The same, on an event loop."""
    return _parsed(names, await _READ.run_async(connection, *_arguments(names)))


def _arguments(names: Sequence[str]) -> tuple[list[str], list[str]]:
    keys = [Queue.redis_queue_namespace_prefix + name for name in names]
    return keys, [Job.redis_job_namespace_prefix]


def _parsed(names: Sequence[str], answer: Any) -> dict[str, Wait]:
    (seconds, microseconds), waits = answer
    now = int(seconds) + int(microseconds) / 1e6
    return {
        name: Wait(length, age_s(queued_at, now))
        for name, (length, queued_at) in zip(names, waits, strict=True)
    }


def age_s(queued_at: bytes, now: float) -> float:
    """Return the seconds since a time that RQ wrote; 0 for anything else. now: seconds of Unix time."""
    try:
        queued = str_to_date(queued_at) if queued_at else None
    except ValueError:  # whatever somebody wrote there
        return 0.0
    return round(max(0.0, now - queued.timestamp()), 3) if queued else 0.0
