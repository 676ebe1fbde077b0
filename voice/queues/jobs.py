"""Put jobs into queues. Arguments are ids, never audio or text."""

import logging
from collections.abc import Sequence

import django_rq
import redis
from django.db import transaction
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry
from rq.results import Result
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from voice.infra import redis_clients
from voice.queues.listed_jobs import check_listed

logger = logging.getLogger(__name__)

RESULT_TTL_S = 0  # results live in PostgreSQL, not in Redis
FAILURE_TTL_S = 24 * 3600


def enqueue(queue_name: str, job: str, *args: str | int, job_id: str | None = None) -> None:
    """Queue the function at dotted path `job`, with `args`, once the current transaction is committed.

    Two jobs with the same `job_id` are one entry in Redis. A queue that cannot be reached is only logged:
    PostgreSQL holds the waiting rows, and the sweeper (`voice.workers.sweeper.sweep`) queues them again.
    """
    transaction.on_commit(lambda: enqueue_now(queue_name, job, *args, job_id=job_id))


def enqueue_now(
    queue_name: str,
    job: str,
    *args: str | int,
    job_id: str | None = None,
    at_front: bool = False,
    worth_s: int | None = None,
) -> None:
    """Queue a job that has no row. Uses no database, so it may be called from any thread.

    worth_s: after waiting this many seconds the job is no longer useful and is dropped. Nothing is kept of
    its failure.

    Raises:
        NotOurs: workers do not run this function: it is not in `settings.JOBS`.
    """
    check_listed(job)
    client = redis_clients.sync_client()  # django-rq would open a connection for each job
    queue = django_rq.get_queue(queue_name, connection=client, commit_mode="auto")
    try:
        with client.pipeline() as pipe:
            queue.enqueue_call(
                job,
                args=args,
                job_id=job_id,
                at_front=at_front,
                ttl=worth_s,
                result_ttl=RESULT_TTL_S,
                failure_ttl=FAILURE_TTL_S if worth_s is None else 0,
                pipeline=pipe,
            )
            pipe.execute()
    except redis.RedisError as error:
        logger.warning(
            "queue %s not reached (%s): whoever needs the job queues it again",
            queue_name,
            type(error).__name__,
        )


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


async def length_now(queue_name: str) -> int:
    """Jobs that wait in the queue; on an event loop."""
    return await redis_clients.async_client().llen(key(queue_name))


async def has_spare_workers(queue_name: str) -> bool:
    """Whether no job waits in the queue and most slots of its workers are idle; on an event loop."""
    async with redis_clients.async_client().pipeline(transaction=False) as pipe:
        pipe.llen(key(queue_name))
        pipe.zcard(StartedJobRegistry.key_template.format(queue_name))
        pipe.scard(WORKERS_BY_QUEUE_KEY % queue_name)
        waiting, running, slots = await pipe.execute()
    return not waiting and 2 * running < slots
