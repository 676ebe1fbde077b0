"""Hand a job on: to another pool, where the engines of this worker cannot do it, or to the end of a queue."""

import logging
from functools import partial

import redis
from rq.job import Job

from voice import metrics
from voice.infra import redis_clients
from voice.queues import jobs, pools
from voice.queues.turns import Taken
from voice.workers import slot

logger = logging.getLogger(__name__)


def hand_on() -> bool:
    """Queue the job of this thread for another pool, once it has ended here; False where no other can do it.

    Each pool is asked once, so the last one tells the caller what is wrong.
    """
    if not (running := slot.running()) or not (queue_name := running[1].note("queue")):
        return False
    job, taken = running
    tried = (*taken.note("tried").split(), taken.queue_name)
    try:
        found = pools.others(queue_name, taken.note("needs"), tried, redis_clients.sync_client())
    except redis.RedisError:
        return False
    if found:
        to = pools.chosen(queue_name, found)
        logger.warning("job %s: no engine of this pool can do it, so it goes on to %s", job.id, to)
        metrics.JOBS_MOVED.labels(**{"from": taken.queue_name, "to": to, "reason": "failed"}).inc()
        slot.afterwards(partial(_queue, job, taken, tried))
    return bool(found)


def line_up(queue_name: str, *, job_id: str) -> None:
    """Queue the job of this thread once more, at the end of a queue, when it has ended here.

    So a long work lets others have their turn, under one id, by which the sweeper sees that it lives. Outside
    a worker nothing is queued.
    """
    if running := slot.running():
        job, taken = running
        queue = partial(jobs.enqueue_now, queue_name, str(job.func_name), *job.args)
        slot.afterwards(partial(queue, job_id=job_id, tenant=taken.note("tenant")))


def _queue(job: Job, taken: Taken, tried: tuple[str, ...]) -> None:
    jobs.enqueue_now(
        taken.note("queue"),
        str(job.func_name),
        *job.args,
        job_id=job.id,
        tenant=taken.note("tenant"),
        needs=taken.note("needs"),
        tried=tried,
    )
