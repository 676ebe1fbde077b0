"""Leases: whether a live worker still works on a job.

A worker has an entry in Redis, RQ's own key `rq:worker:<name>`, which expires `LEASE_S` after its attendant
(`voice.workers.attendant`) last renewed it. A job belongs to the worker that took it for as long as that
entry lives and names the job. Taking a job writes both in one step (`voice.queues.turns`), so there is no
moment in which a job belongs to nobody. Redis alone counts the seconds: the clocks of machines do not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import redis
from redis.client import Pipeline
from rq.executions import ExecutionRegistry
from rq.job import Job
from rq.queue import Queue
from rq.registry import StartedJobRegistry
from rq.utils import now, utcformat
from rq.worker import BaseWorker

from voice.infra import lua

LEASE_S = 8
"""A worker whose attendant is silent for this many seconds is dead: its jobs may be queued again."""
REGISTRY_TTL_S = 120
"""RQ fails a job whose registry entry is older, by the reader's clock: hence well above `LEASE_S`."""

DRAINED: Final = "drained"
"""The field of a job whose worker was asked to end before it had done it, until the job begins again."""

_RENEW = lua.load(__file__, "lease_renew")
_GIVE_UP = lua.load(__file__, "lease_give_up")


@dataclass(frozen=True, slots=True)
class Work:
    """A job that a worker runs, and RQ's id of this execution."""

    job_id: str
    queue_name: str
    execution_id: str


def renew(worker_key: str, work: Work | None, pipeline: Pipeline) -> None:
    """Renew the lease of a worker, and RQ's entries of the job that it runs."""
    right_now = now()
    keys, values = [worker_key], [LEASE_S, utcformat(right_now)]
    if work:
        execution = f"{work.job_id}:{work.execution_id}"
        keys += [
            _execution_key(execution),
            StartedJobRegistry.key_template.format(work.queue_name),
            ExecutionRegistry.key_template.format(work.job_id),
            Job.key_for(work.job_id),
        ]
        values += [right_now.timestamp(), REGISTRY_TTL_S, execution, work.execution_id]
    _RENEW.run(pipeline, keys, values)


def give_up(worker_keys: Iterable[str], connection: redis.Redis, *, is_drained: bool = False) -> None:
    """Let others have the jobs of these workers at once, without waiting for the end of their leases.

    is_drained: the workers were asked to end, and the jobs did no wrong: see `DRAINED`.
    """
    _GIVE_UP.run(connection, list(worker_keys), [Job.redis_job_namespace_prefix, int(is_drained)])


def end(worker_keys: Iterable[str], connection: redis.Redis) -> None:
    """Do as `give_up`, and let these workers count as dead. Those that go on working register again."""
    keys = list(worker_keys)
    if keys:
        connection.delete(*keys)


def is_pending(job_id: str, connection: redis.Redis) -> bool:
    """Whether the job waits in its queue, or belongs to a live worker."""
    return job_id in pending([job_id], connection)


def pending(job_ids: Iterable[str], connection: redis.Redis) -> set[str]:
    """Return the jobs for which `is_pending` holds, in a few round trips for all of them.

    For the others, what a dead worker left in RQ's registries is removed: RQ would find it later and mark the
    job as failed, although it had been queued again and was running.
    """
    entries = _read_entries(list(job_ids), connection)
    _remove_leftovers([entry for entry in entries if not entry.is_pending and entry.executions], connection)
    return {entry.job_id for entry in entries if entry.is_pending}


@dataclass(slots=True)
class _Entry:
    """Redis's state of a job."""

    job_id: str
    queue_name: str
    worker_name: str
    execution_ids: list[str]
    is_pending: bool = False

    @property
    def executions(self) -> list[str]:
        return [f"{self.job_id}:{execution_id}" for execution_id in self.execution_ids]


def _read_entries(job_ids: list[str], connection: redis.Redis) -> list[_Entry]:
    with connection.pipeline(transaction=False) as pipe:
        for job_id in job_ids:
            pipe.hmget(Job.key_for(job_id), "origin", "worker_name")
            pipe.zrange(ExecutionRegistry.key_template.format(job_id), 0, -1)
        answers = pipe.execute()
    entries = [
        _Entry(job_id, _text(queue_name), _text(worker_name), [_text(name) for name in names])
        for job_id, (queue_name, worker_name), names in zip(job_ids, answers[::2], answers[1::2], strict=True)
    ]
    with connection.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.lpos(Queue.redis_queue_namespace_prefix + entry.queue_name, entry.job_id)
            pipe.hget(BaseWorker.redis_worker_namespace_prefix + entry.worker_name, "current_job")
        answers = pipe.execute()
    for entry, position, current in zip(entries, answers[::2], answers[1::2], strict=True):
        entry.is_pending = position is not None or _text(current) == entry.job_id
    return entries


def _remove_leftovers(entries: list[_Entry], connection: redis.Redis) -> None:
    with connection.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.delete(
                ExecutionRegistry.key_template.format(entry.job_id), *map(_execution_key, entry.executions)
            )
            pipe.zrem(StartedJobRegistry.key_template.format(entry.queue_name), *entry.executions)
        pipe.execute()


def _execution_key(execution: str) -> str:
    return f"rq:execution:{execution}"


def _text(value: bytes | str | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
