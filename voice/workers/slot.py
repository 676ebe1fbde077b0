"""One slot of a worker: a thread that runs RQ's `SimpleWorker` in a long-lived process.

Unlike RQ's own worker, a slot has no signal handlers, no alarm signal, no thread for commands and no
heartbeats between jobs; the process (`voice.workers.worker`) does what is needed of these. It also keeps the
messages of exceptions out of logs and registries.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from django.db import close_old_connections
from redis.client import Pipeline
from rq import SimpleWorker, worker_registration
from rq.exceptions import NoSuchJobError
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.registry import StartedJobRegistry
from rq.timeouts import BaseDeathPenalty
from rq.utils import now
from rq.worker import WorkerStatus

from voice import metrics
from voice.infra import processor
from voice.infra.backoff import pause_s
from voice.infra.tracebacks import place_of, places_of
from voice.queues import leases, turns
from voice.queues.listed_jobs import ListedJob
from voice.queues.turns import Taken
from voice.workers.attendant import Notes

logger = logging.getLogger(__name__)

DEQUEUE_S = 1
"""How long a blocking read of the queues waits. A job arrives at once; a stop is noticed after it."""
QUEUE_BEHIND_S = 1.0
"""Inside a busy engine the jobs of a queue stand back so far for those of the queue before it."""
FIRST_RECONNECT_S, LONGEST_RECONNECT_S = 0.1, 5.0


_this_thread = threading.local()


def allow(seconds: float) -> None:
    """Let the job of this thread exceed the deadline by `seconds`; outside a worker, do nothing.

    An hour of audio takes longer than the time after which a call counts as stuck.
    """
    slot: Slot | None = getattr(_this_thread, "slot", None)
    if slot:
        slot.notes.write("allowed", slot=slot.key, seconds=seconds)


def running() -> tuple[Job, Taken] | None:
    """Return the job of this thread, and how it was taken; None outside a worker."""
    slot: Slot | None = getattr(_this_thread, "slot", None)
    return slot.running if slot else None


def is_drained() -> bool:
    """Whether the job of this thread ran before, in a worker that was asked to end and had no more time."""
    found = running()
    return bool(found and found[1].note(leases.DRAINED))


def afterwards(work: Callable[[], None]) -> None:
    """Have `work` called when the job of this thread has ended and Redis has forgotten it."""
    _this_thread.slot.further.append(work)


class NoDeathPenalty(BaseDeathPenalty):
    """RQ's alarm signal works in the main thread only; the attendant replaces it."""

    def setup_death_penalty(self) -> None: ...

    def cancel_death_penalty(self) -> None: ...


class Slot(SimpleWorker):
    """Takes a job, runs it in this thread, takes the next.

    RQ renews a worker's entry several times a job; here the attendant does that for all slots of a process.
    RQ makes sixteen requests to Redis for each job, a slot makes six.
    """

    death_penalty_class = NoDeathPenalty
    job_class = ListedJob
    notes: Notes
    """Where the attendant is told of each job."""
    has_ended = False
    serves = ""
    """What it serves, for `voice.queues.pools`."""
    running: tuple[Job, Taken] | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        """Take RQ's arguments."""
        super().__init__(*args, **options)
        self.further: list[Callable[[], None]] = []

    def serve(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set; a Redis that goes away is waited for."""
        failures = 0
        while not stopping.is_set():
            try:
                self._serve_next()
                failures = 0
            except redis.RedisError as error:
                if not failures:
                    logger.warning("Redis not reached (%s): trying again", type(error).__name__)
                failures += 1
                stopping.wait(pause_s(failures, first_s=FIRST_RECONNECT_S, longest_s=LONGEST_RECONNECT_S))

    def stop_soon(self) -> None:
        """End `serve` after the current job, also while RQ's workers are suspended."""
        self._stop_requested = True

    def _serve_next(self) -> None:
        self.check_for_suspension(burst=False)
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()
        names = self.queue_names()
        taken = turns.take(names, self.key, self.name, self.connection)
        if taken is None:
            turns.wait(names, self.connection, within_s=DEQUEUE_S)
        elif job := self._restored(taken):
            self.running = (job, taken)
            try:
                self.execute_job(job, self._queue_of(taken))
            finally:
                self._follow_up()

    def _follow_up(self) -> None:
        """Call what the job that has ended left to be done."""
        self.running = None
        while self.further:
            self.further.pop()()

    def _restored(self, taken: Taken) -> Job | None:
        """RQ's job; None where its entry is only the rest of one that has expired."""
        job = self.job_class(taken.job_id, connection=self.connection, serializer=self.serializer)
        try:
            job.restore(taken.fields)
        except NoSuchJobError:
            return None
        return job

    def _queue_of(self, taken: Taken) -> Queue:
        return next(queue for queue in self.queues if queue.name == taken.queue_name)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job, and return its database connection to the pool."""
        started = time.monotonic()
        execution = self.prepare_execution(job)
        self.notes.write(
            "began", slot=self.key, job_id=job.id, queue_name=queue.name, execution_id=execution.id
        )
        _this_thread.slot = self
        is_done = False
        try:
            with processor.behind(QUEUE_BEHIND_S * self.queue_names().index(queue.name)):
                is_done = self.perform_job(job, queue)
        finally:
            self.notes.write("ended", slot=self.key)
            _count(job, queue.name, time.monotonic() - started, is_done=is_done)
            close_old_connections()

    def prepare_execution(self, job: Job) -> Execution:
        """Write all that RQ records before a job, in one round trip and with our own lifetimes."""
        with self.connection.pipeline() as pipe:
            ttl = leases.REGISTRY_TTL_S
            self.execution = Execution.create(job, ttl, pipeline=pipe, worker_name=self.name)
            self.set_state(WorkerStatus.BUSY, pipeline=pipe)
            self.set_current_job_id(job.id, pipeline=pipe)
            self.set_current_job_working_time(0, pipeline=pipe)
            job.prepare_for_execution(self.name, pipeline=pipe)
            pipe.hdel(job.key, leases.DRAINED)
            pipe.execute()
        return self.execution

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """Do nothing: RQ calls this before the job, but `prepare_execution` has recorded it."""

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Do nothing: RQ calls this around each job, but the attendant does it, busy or not."""

    def register_if_lost(self) -> None:
        """Write this worker's entry again where Redis lost it, or it expired while Redis was unreachable."""
        if self.connection.hexists(self.key, "birth"):
            return
        with self.connection.pipeline() as pipe:
            told: dict[Any, Any] = {**self.serialize(), "state": self.get_state(), "serves": self.serves}
            pipe.hset(self.key, mapping=told)
            worker_registration.register(self, pipe)
            pipe.expire(self.key, leases.LEASE_S)
            pipe.execute()

    def tell_what_it_serves(self, serves: str) -> None:
        """Write what this slot serves into its entry in Redis, if that has changed."""
        if serves != self.serves and self.connection.hexists(self.key, "birth"):
            self.connection.hset(self.key, "serves", serves)
        self.serves = serves

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """Record the end of the job; RQ calls this before it cleans up."""
        job.ended_at = now()

    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: StartedJobRegistry) -> None:
        """Delete the job in one round trip; like RQ if its result or a repeat is wanted.

        RQ takes a dozen round trips, to look for jobs that wait for this one (`voice.queues.jobs` cannot
        queue such) and to read each listed execution, which fails for one whose worker died.
        """
        if job.get_result_ttl(self.default_result_ttl) != 0 or job.repeats_left:
            super().handle_job_success(job, queue, started_job_registry)
            return
        assert job.started_at
        assert job.ended_at
        with self.connection.pipeline() as pipe:
            self.increment_successful_job_count(pipeline=pipe)
            self.increment_total_working_time(job.ended_at - job.started_at, pipe)
            pipe.delete(job.key, job.dependents_key, job.dependencies_key)
            self.cleanup_execution(job, pipe)
            pipe.execute()

    def cleanup_execution(self, job: Job, pipeline: Pipeline) -> None:
        """Clean up after a job; an earlier failure of the same id no longer counts."""
        job.failed_job_registry.remove(job, pipeline=pipeline)
        super().cleanup_execution(job, pipeline)
        pipeline.delete(job.execution_registry.key)
        self.set_state(WorkerStatus.IDLE, pipeline=pipeline)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log that a job failed, without the message: it may quote rows, which are personal data."""
        kind, _, trace = exc_info
        logger.warning("job %s failed: %s in %s", job.id, kind.__name__, place_of(trace))

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry | None = None,
        exc_string: str = "",
    ) -> None:
        """Do as RQ does, with the places of the traceback but without the message."""
        kind, _, trace = sys.exc_info()
        if kind:
            exc_string = f"{kind.__name__} in {places_of(trace)}"
        super().handle_job_failure(job, queue, started_job_registry, exc_string)

    def procline(self, message: str) -> None:
        """Do nothing: a process with several slots has no single title."""


def _count(job: Job, queue_name: str, seconds: float, *, is_done: bool) -> None:
    """Count a job that has ended after `seconds`."""
    outcome = "ok" if is_done else "failed"
    metrics.JOBS.labels(queue=queue_name, outcome=outcome).inc()
    metrics.JOB_SECONDS.labels(queue=queue_name).observe(seconds)
    if job.created_at:  # it may have waited in more than one list
        waited_s = (now() - job.created_at).total_seconds() - seconds
        metrics.JOB_WAIT_SECONDS.labels(queue=queue_name).observe(max(0.0, waited_s))
