"""How many jobs wait in each queue, and for how long the first of them has; one round trip for all queues."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import redis
import redis.asyncio
from rq.job import Job
from rq.utils import str_to_date

from voice.queues import jobs


class Wait(NamedTuple):
    """A queue as it is now. oldest_s: since its first job was queued; 0 when nothing waits."""

    length: int
    oldest_s: float


# The age is by the clock of Redis, so all processes read the same; jobs are stamped by whoever queues them.
_READ = """
local waits = {}
for _, queue in ipairs(KEYS) do
  local first = redis.call('LINDEX', queue, 0)
  local queued_at = first and redis.call('HGET', ARGV[1] .. first, 'enqueued_at')
  waits[#waits + 1] = {redis.call('LLEN', queue), queued_at or ''}
end
return {redis.call('TIME'), waits}
"""


def read(names: Sequence[str], connection: redis.Redis) -> dict[str, Wait]:
    """The queues of these names. Raises redis.RedisError."""
    return _parsed(names, connection.eval(_READ, *_arguments(names)))


async def read_now(names: Sequence[str], connection: redis.asyncio.Redis) -> dict[str, Wait]:
    """The same, on an event loop."""
    return _parsed(names, await connection.eval(_READ, *_arguments(names)))


def _arguments(names: Sequence[str]) -> list[Any]:
    return [len(names), *map(jobs.key, names), Job.redis_job_namespace_prefix]


def _parsed(names: Sequence[str], answer: Any) -> dict[str, Wait]:
    (seconds, microseconds), waits = answer
    now = int(seconds) + int(microseconds) / 1e6
    return {
        name: Wait(length, _age_s(queued_at, now))
        for name, (length, queued_at) in zip(names, waits, strict=True)
    }


def _age_s(queued_at: bytes, now: float) -> float:
    queued = str_to_date(queued_at) if queued_at else None
    return round(max(0.0, now - queued.timestamp()), 3) if queued else 0.0
