"""One slot of a worker: a thread that runs RQ's `SimpleWorker` in a long-lived process.

Unlike RQ's own worker, a slot has no signal handlers, no alarm signal, no thread for commands and no
heartbeats between jobs; the process (`voice.workers.worker`) does what is needed of these. It also keeps the
messages of exceptions out of logs and registries.
"""

import logging
import sys
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import redis
from django.db import close_old_connections
from redis.client import Pipeline
from rq import SimpleWorker, worker_registration
from rq.exceptions import DequeueTimeout
from rq.executions import Execution
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.queue import Queue
from rq.registry import StartedJobRegistry
from rq.timeouts import BaseDeathPenalty
from rq.utils import now
from rq.worker import WorkerStatus

from voice import metrics
from voice.infra.backoff import pause_s
from voice.infra.tracebacks import place_of, places_of
from voice.queues import leases
from voice.queues.listed_jobs import ListedJob

logger = logging.getLogger(__name__)

DEQUEUE_S = 1
"""How long a blocking read of the queues waits. A job arrives at once; a stop is noticed after it."""
FIRST_RECONNECT_S, LONGEST_RECONNECT_S = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """The job in a slot. `started` is in seconds of the monotonic clock.

    allowance_s: the extra time beyond the worker's deadline that the job has requested for long work.
    """

    job_id: str
    queue_name: str
    execution: Execution
    started: float
    allowance_s: float = 0.0


_this_thread = threading.local()


def allow(seconds: float) -> None:
    """Let the job of this thread exceed the deadline by `seconds`; outside a worker, do nothing.

    An hour of audio takes longer than the time after which a call counts as stuck.
    """
    slot: Slot | None = getattr(_this_thread, "slot", None)
    if slot and slot.running:
        slot.running = replace(slot.running, allowance_s=seconds)


class NoDeathPenalty(BaseDeathPenalty):
    """RQ's alarm signal works in the main thread only; the watchdog replaces it."""

    def setup_death_penalty(self) -> None: ...

    def cancel_death_penalty(self) -> None: ...


class Slot(SimpleWorker):
    """Takes a job, runs it in this thread, takes the next.

    RQ renews a worker's entry several times a job; here the process does that for all its slots, see `beat`.
    RQ makes sixteen requests to Redis for each job, a slot makes six.
    """

    death_penalty_class = NoDeathPenalty
    job_class = ListedJob
    running: Running | None = None
    has_ended = False

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
        try:
            found = self.queue_class.dequeue_any(
                self.queues,
                DEQUEUE_S,
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
        except DequeueTimeout:
            return
        if found:
            self.execute_job(*found)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job, and return its database connection to the pool."""
        execution = self.prepare_execution(job)
        self.running = running = Running(job.id, queue.name, execution, time.monotonic())
        _this_thread.slot = self
        is_done = False
        try:
            is_done = self.perform_job(job, queue)
        finally:
            self.running = None
            _count(running, job, is_done=is_done)
            close_old_connections()

    def prepare_execution(self, job: Job) -> Execution:
        """Write all that RQ records before a job, in one round trip and with our own lease time."""
        with self.connection.pipeline() as pipe:
            ttl = leases.REGISTRY_TTL_S
            self.execution = Execution.create(job, ttl, pipeline=pipe, worker_name=self.name)
            pipe.expire(self.execution.key, leases.LEASE_S)
            self.set_state(WorkerStatus.BUSY, pipeline=pipe)
            self.set_current_job_id(job.id, pipeline=pipe)
            self.set_current_job_working_time(0, pipeline=pipe)
            job.prepare_for_execution(self.name, pipeline=pipe)
            if len(self.queues) == 1:  # only then RQ moves jobs through a second list
                pipe.lrem(IntermediateQueue.get_intermediate_queue_key(self.queues[0].key), 1, job.id)
            pipe.execute()
        return self.execution

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """Do nothing: RQ calls this before the job, but `prepare_execution` has recorded it."""

    def beat(self) -> None:
        """Renew this worker's entry and the lease on its job. For the heartbeat thread."""
        running = self.running
        with self.connection.pipeline(transaction=False) as pipe:
            pipe.hexists(self.key, "birth")
            super().heartbeat(leases.LEASE_S, pipeline=pipe)
            if running:
                leases.renew(running.execution, running.queue_name, pipe)
            is_registered = pipe.execute()[0]
        if not is_registered:  # Redis lost the entry, or it expired while Redis was unreachable
            self._register_again()

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Do nothing: RQ calls this around each job, but `beat` does it, busy or not."""

    def _register_again(self) -> None:
        with self.connection.pipeline() as pipe:
            pipe.hset(self.key, mapping={**self.serialize(), "state": self.get_state()})
            worker_registration.register(self, pipe)
            pipe.expire(self.key, leases.LEASE_S)
            pipe.execute()

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


def _count(running: Running, job: Job, *, is_done: bool) -> None:
    """Count a job that has ended."""
    seconds = time.monotonic() - running.started
    outcome = "ok" if is_done else "failed"
    metrics.JOBS.labels(queue=running.queue_name, outcome=outcome).inc()
    metrics.JOB_SECONDS.labels(queue=running.queue_name).observe(seconds)
    if job.enqueued_at:
        waited_s = (now() - job.enqueued_at).total_seconds() - seconds
        metrics.JOB_WAIT_SECONDS.labels(queue=running.queue_name).observe(max(0.0, waited_s))
