"""Take jobs from queues: queues in the order of their priority, and in each queue the tenants in turn.

    while (taken := turns.take(names, worker_key, worker_name, client)) is None:
        turns.wait(names, client, within_s=1)
    taken.job_id, taken.queue_name, taken.fields

A tenant with hundreds of jobs delays others by one job, not by hundreds. The jobs stay in RQ's own lists, so
that `LLEN` of a queue is what waits in it. Each job of a tenant has a field `tenant`; the time of each
tenant's last turn is in `voice:turns:<queue>`.

A worker that waits is woken through a bell, a second list for each queue, because a job must not leave its
queue before a worker that runs has it: see `voice.queues.leases`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import redis
from rq.job import Job

from voice.infra import lua
from voice.queues import jobs, leases

OF_THE_PLATFORM = ("cron", "default")
"""Queues without turns: their jobs are short, and hundreds may come in a second."""
LOOK_AT = 1000
"""Tenants beyond this many jobs of a queue wait until those before have gone."""
REMEMBERED_S = 600
"""A tenant without a turn for this long goes before those who had one."""

_TAKE = lua.load(__file__, "job_take")


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that belongs to the worker from now on.

    queue_name: the list where it waited. fields: the hash of the job, as RQ and `voice.queues.jobs` wrote it.
    """

    job_id: str
    queue_name: str
    fields: dict[bytes, bytes]

    def note(self, name: str) -> str:
        """Return what `voice.queues.jobs` noted of the job under this name; "" for nothing."""
        return self.fields.get(name.encode(), b"").decode(errors="replace")


def take(
    queue_names: Sequence[str], worker_key: str, worker_name: str, connection: redis.Redis
) -> Taken | None:
    """Take the next job, or None where nothing waits. Raises redis.RedisError."""
    keys = [worker_key, *map(jobs.key, queue_names)]
    values = [
        worker_name,
        leases.LEASE_S,
        Job.redis_job_namespace_prefix,
        "voice:turns:",
        REMEMBERED_S,
        *(1 if name in OF_THE_PLATFORM else LOOK_AT for name in queue_names),
    ]
    found = _TAKE.run(connection, keys, values)
    if found is None:
        return None
    number, job_id, fields = found
    return Taken(job_id.decode(), queue_names[number - 1], dict(zip(fields[::2], fields[1::2], strict=True)))


def wait(queue_names: Sequence[str], connection: redis.Redis, *, within_s: float) -> None:
    """Return when a job may have come, or after `within_s`. Raises redis.RedisError."""
    connection.blpop([jobs.bell(name) for name in queue_names], within_s)
