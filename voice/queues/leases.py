"""Leases: whether a live worker still works on a job.

A worker holds a lease on each job it runs: RQ's own key `rq:execution:<job>:<execution>`, which expires
`LEASE_S` after its last heartbeat. Redis alone counts those seconds, so the clocks of machines do not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import redis
from redis.client import Pipeline
from rq.executions import Execution, ExecutionRegistry
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.queue import Queue
from rq.registry import StartedJobRegistry
from rq.utils import now, utcformat

from voice.infra import lua

LEASE_S = 8
"""A process that is silent for this many seconds is dead: its jobs may be queued again."""
REGISTRY_TTL_S = 60
"""RQ fails a job whose registry entry is older, by the reader's clock: hence well above `LEASE_S`."""
UNLISTED_S = 3
"""Between its queue and its start a job is in no list for some milliseconds; after this time it is lost."""
UNLISTED_MARK_TTL_S = 60

_RENEW = lua.load(__file__, "lease_renew")


def renew(execution: Execution, queue_name: str, pipeline: Pipeline) -> None:
    """Renew the lease on a running job, unless it was lost or released."""
    right_now = now()
    keys = [
        execution.key,
        StartedJobRegistry.key_template.format(queue_name),
        ExecutionRegistry.key_template.format(execution.job_id),
        Job.key_for(execution.job_id),
    ]
    values = [
        right_now.timestamp(),
        LEASE_S,
        REGISTRY_TTL_S,
        execution.composite_key,
        execution.id,
        utcformat(right_now),
    ]
    _RENEW.run(pipeline, keys, values)


def give_up(executions: Iterable[Execution], connection: redis.Redis) -> None:
    """End the leases of this process at once, so that the next sweep need not wait for them to expire."""
    if keys := [execution.key for execution in executions]:
        connection.delete(*keys)


def is_pending(job_id: str, connection: redis.Redis) -> bool:
    """Whether the job waits in its queue, or runs in a process with a heartbeat within `LEASE_S`."""
    return job_id in pending([job_id], connection)


def pending(job_ids: Iterable[str], connection: redis.Redis) -> set[str]:
    """Return the jobs for which `is_pending` holds, in a few round trips for all of them.

    For the others, what a dead worker left in RQ's registries is removed: RQ would find it later and mark the
    job as failed, although it had been queued again and was running.
    """
    entries = [
        entry for entry in _read_entries(list(job_ids), connection) if entry.status in ("queued", "started")
    ]
    alive = {entry.job_id for entry in entries if entry.is_running}
    unlisted = [entry for entry in entries if not entry.is_running and not entry.is_listed]
    alive |= {entry.job_id for entry in entries if entry.is_listed}
    alive |= _just_taken([entry for entry in unlisted if entry.status == "queued"], connection)
    _remove_leftovers([entry for entry in unlisted if entry.job_id not in alive], connection)
    return alive


@dataclass(slots=True)
class _Entry:
    """Redis's state of a job."""

    job_id: str
    status: str
    queue_name: str
    enqueued_at: str
    execution_ids: list[str]
    is_running: bool = False
    is_listed: bool = False

    @property
    def executions(self) -> list[str]:
        return [f"{self.job_id}:{execution_id}" for execution_id in self.execution_ids]


def _read_entries(job_ids: list[str], connection: redis.Redis) -> list[_Entry]:
    with connection.pipeline(transaction=False) as pipe:
        for job_id in job_ids:
            pipe.hmget(Job.key_for(job_id), "status", "origin", "enqueued_at")
            pipe.zrange(ExecutionRegistry.key_template.format(job_id), 0, -1)
        answers = pipe.execute()
    entries = [
        _Entry(job_id, _text(status), _text(origin), _text(enqueued_at), [_text(name) for name in names])
        for job_id, (status, origin, enqueued_at), names in zip(
            job_ids, answers[::2], answers[1::2], strict=True
        )
    ]
    with connection.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.exists(*(f"rq:execution:{name}" for name in entry.executions or [f"{entry.job_id}:none"]))
            pipe.lpos(_queue_key(entry), entry.job_id)
        answers = pipe.execute()
    for entry, leases, position in zip(entries, answers[::2], answers[1::2], strict=True):
        entry.is_running, entry.is_listed = leases > 0, position is not None
    return entries


def _just_taken(entries: list[_Entry], connection: redis.Redis) -> set[str]:
    """Return the jobs in no list for less than `UNLISTED_S`: a worker is about to start them."""
    with connection.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.set(_unlisted_key(entry), 1, nx=True, ex=UNLISTED_MARK_TTL_S)
            pipe.pttl(_unlisted_key(entry))
        ages_ms = [UNLISTED_MARK_TTL_S * 1000 - left_ms for left_ms in pipe.execute()[1::2]]
    return {
        entry.job_id for entry, age_ms in zip(entries, ages_ms, strict=True) if age_ms < UNLISTED_S * 1000
    }


def _remove_leftovers(entries: list[_Entry], connection: redis.Redis) -> None:
    with connection.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.lrem(IntermediateQueue.get_intermediate_queue_key(_queue_key(entry)), 0, entry.job_id)
            pipe.delete(_unlisted_key(entry), ExecutionRegistry.key_template.format(entry.job_id))
            if entry.executions:
                pipe.zrem(StartedJobRegistry.key_template.format(entry.queue_name), *entry.executions)
        pipe.execute()


def _queue_key(entry: _Entry) -> str:
    return Queue.redis_queue_namespace_prefix + entry.queue_name


def _unlisted_key(entry: _Entry) -> str:
    return f"voice:unlisted:{entry.job_id}:{entry.enqueued_at}"


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
