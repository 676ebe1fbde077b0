"""Put jobs into queues. Arguments are ids, never audio or text."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import django_rq
import redis
from django.db import transaction
from redis.client import Pipeline
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry
from rq.results import Result
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from voice.infra import correlation, redis_clients, tracing
from voice.queues import pools
from voice.queues.listed_jobs import check_listed

logger = logging.getLogger(__name__)

RESULT_TTL_S = 0  # results live in PostgreSQL, not in Redis
FAILURE_TTL_S = 24 * 3600
RINGS = 16
"""So many rings are kept for workers that are about to wait."""


def enqueue(
    queue_name: str,
    job: str,
    *args: str | int,
    job_id: str | None = None,
    tenant: str = "",
    needs: str = "",
    worth_s: int | None = None,
) -> None:
    """Queue the function at dotted path `job`, with `args`, once the current transaction is committed.

    tenant: whose work it is; the tenants of a queue take turns (`voice.queues.turns`).
    needs: what a worker must have for it (`voice.queues.pools`).
    worth_s: see `enqueue_now`.

    Two jobs with the same `job_id` are one entry in Redis. A queue that cannot be reached is only logged:
    PostgreSQL holds the waiting rows, and the sweeper (`voice.workers.sweeper.sweep`) queues them again.
    """
    transaction.on_commit(
        lambda: enqueue_now(
            queue_name, job, *args, job_id=job_id, tenant=tenant, needs=needs, worth_s=worth_s
        )
    )


def enqueue_now(
    queue_name: str,
    job: str,
    *args: str | int,
    job_id: str | None = None,
    at_front: bool = False,
    worth_s: int | None = None,
    tenant: str = "",
    needs: str = "",
    tried: Sequence[str] = (),
    list_name: str = "",
) -> None:
    """Queue a job that has no row. Uses no database, so it may be called from any thread.

    tenant, needs: see `enqueue`. tried: lists whose workers could not do it. list_name: the list, where it
    is chosen already (`voice.queues.pools.choose`).
    worth_s: after waiting this many seconds the job is no longer useful and is dropped. Nothing is kept of
    its failure.

    Raises:
        NotOurs: workers do not run this function: it is not in `settings.JOBS`.
    """
    check_listed(job)
    client = redis_clients.sync_client()  # django-rq would open a connection for each job
    try:
        name = list_name or pools.choose(queue_name, needs, client, tried=tried)
        queue = django_rq.get_queue(name, connection=client, commit_mode="auto")
        with _sending(name, job), client.pipeline() as pipe:
            queued = queue.enqueue_call(
                job,
                args=args,
                job_id=job_id,
                at_front=at_front,
                ttl=worth_s,
                result_ttl=RESULT_TTL_S,
                failure_ttl=FAILURE_TTL_S if worth_s is None else 0,
                pipeline=pipe,
            )
            if notes := _notes(queue_name, name, tenant=tenant, needs=needs, tried=tried):
                pipe.hset(queued.key, mapping=notes)
            ring(name, pipe)
            pipe.execute()
    except redis.RedisError as error:
        logger.warning(
            "queue %s not reached (%s): whoever needs the job queues it again",
            queue_name,
            type(error).__name__,
        )


def _sending(list_name: str, job: str) -> AbstractContextManager[Any]:
    """Make the block the span of a job that is queued; source: OpenTelemetry, messaging spans."""
    attributes = {**tracing.messaging(list_name, "send"), "code.function.name": job}
    return tracing.span(f"send {list_name}", "PRODUCER", attributes=attributes)


def _notes(
    queue_name: str, list_name: str, *, tenant: str, needs: str, tried: Sequence[str]
) -> dict[Any, Any]:
    """Return what a job says besides what RQ writes. Workers of earlier releases read only `tenant`.

    queue: whose list may be another one (`voice.queues.pools`).
    request_id, traceparent: of the request that led to it. A job that is queued again by the clock, which no
    request led to, keeps those of before for as long as Redis knows it.
    """
    notes = {
        "request_id": correlation.request_id(),
        "traceparent": tracing.traceparent(),
        "tenant": tenant,
        "queue": queue_name if queue_name in pools.LISTS else "",
        "needs": needs,
        "tried": " ".join(tried),
        "rank": pools.rank(queue_name, list_name),
    }
    return {name: value for name, value in notes.items() if value}


def forget(job_ids: Sequence[str]) -> None:
    """Delete what Redis holds of jobs that wait or failed; those that a worker is at are left alone."""
    client = redis_clients.sync_client()
    for job in Job.fetch_many(job_ids, connection=client):
        if job is not None and job.get_status(refresh=False) != JobStatus.STARTED:
            job.delete()
    client.delete(*(Result.get_key(job_id) for job_id in job_ids))


def key(queue_name: str) -> str:
    """Return RQ's key of the list of jobs that wait in the queue."""
    return f"rq:queue:{queue_name}"


def bell(queue_name: str) -> str:
    """Return the key of the list that wakes a worker which waits for this queue."""
    return f"voice:bell:{queue_name}"


def ring(queue_name: str, pipeline: Pipeline) -> None:
    """Wake one worker that waits for this queue."""
    pipeline.rpush(bell(queue_name), 1)
    pipeline.ltrim(bell(queue_name), -RINGS, -1)


async def n_now(queue_name: str) -> int:
    """Return how many jobs of the queue wait or run; on an event loop."""
    async with redis_clients.async_client().pipeline(transaction=False) as pipe:
        pipe.llen(key(queue_name))
        pipe.zcard(StartedJobRegistry.key_template.format(queue_name))
        return sum(await pipe.execute())


async def has_spare_workers(*queue_names: str) -> bool:
    """Whether no job waits in the queues and most slots of their workers are idle; on an event loop.

    The queues have the same workers; of several pools, all serve the last one.
    """
    names = {name: None for queue_name in queue_names for name in pools.lists_of(queue_name)}
    async with redis_clients.async_client().pipeline(transaction=False) as pipe:
        for name in names:
            pipe.llen(key(name))
            pipe.zcard(StartedJobRegistry.key_template.format(name))
        pipe.scard(WORKERS_BY_QUEUE_KEY % queue_names[-1])
        *counts, slots = await pipe.execute()
    waiting, running = sum(counts[::2]), sum(counts[1::2])
    return not waiting and 2 * running < slots
