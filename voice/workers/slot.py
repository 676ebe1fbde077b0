"""One slot of a worker: a thread that loops RQ's `SimpleWorker` in a process that stays.

Against RQ's own, a slot has no signal handlers, no alarm signal, no thread for commands and no heartbeats
between jobs; the process (`voice.workers.worker`) does what is needed of these. And it keeps the messages of
exceptions out of logs and registries.
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

logger = logging.getLogger(__name__)

DEQUEUE_S = 1
"""How long one look into the queues lasts. A job comes at once; this bounds how soon a stop is seen."""
FIRST_RECONNECT_S, LONGEST_RECONNECT_S = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """The job in a slot. `started` is in seconds of the monotonic clock.

    allowance_s: what it may take beyond the worker's deadline, because it said that it has much to do.
    """

    job_id: str
    queue_name: str
    execution: Execution
    started: float
    allowance_s: float = 0.0


_this_thread = threading.local()


def allow(seconds: float) -> None:
    """Let the job of this thread take so much longer than the deadline; outside a worker, do nothing.

    An hour of audio takes longer than the time after which a call is taken for stuck.
    """
    slot: Slot | None = getattr(_this_thread, "slot", None)
    if slot and slot.running:
        slot.running = replace(slot.running, allowance_s=seconds)


class NoDeathPenalty(BaseDeathPenalty):
    """RQ's alarm signal works in the main thread only; the watchdog is there instead."""

    def setup_death_penalty(self) -> None: ...

    def cancel_death_penalty(self) -> None: ...


class Slot(SimpleWorker):
    """Takes a job, runs it in this thread, takes the next.

    RQ renews a worker's entry several times a job; here the process does that for all its slots, see `beat`.
    And where RQ asks Redis sixteen times for each job, a slot asks six times.
    """

    death_penalty_class = NoDeathPenalty
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
        """End `serve` after the job it is at, also while RQ's workers are suspended."""
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
        """Run the job, and give its database connection back."""
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
        """All that RQ notes before a job, in one round trip and with a lease of our own length."""
        with self.connection.pipeline() as pipe:
            ttl = leases.REGISTRY_TTL_S
            self.execution = Execution.create(job, ttl, pipeline=pipe, worker_name=self.name)
            pipe.expire(self.execution.key, leases.LEASE_S)
            self.set_state(WorkerStatus.BUSY, pipeline=pipe)
            self.set_current_job_id(job.id, pipeline=pipe)
            self.set_current_job_working_time(0, pipeline=pipe)
            job.prepare_for_execution(self.name, pipeline=pipe)
            if len(self.queues) == 1:  # RQ moves jobs by way of a second list only then
                pipe.lrem(IntermediateQueue.get_intermediate_queue_key(self.queues[0].key), 1, job.id)
            pipe.execute()
        return self.execution

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """Called by RQ before the job; `prepare_execution` has noted it."""

    def beat(self) -> None:
        """Renew this worker's entry and the lease on its job. For the heartbeat thread."""
        running = self.running
        with self.connection.pipeline(transaction=False) as pipe:
            pipe.hexists(self.key, "birth")
            super().heartbeat(leases.LEASE_S, pipeline=pipe)
            if running:
                leases.renew(running.execution, running.queue_name, pipe)
            is_registered = pipe.execute()[0]
        if not is_registered:  # Redis lost the entry, or it expired while Redis was away
            self._register_again()

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Called by RQ around each job; `beat` does it, busy or not."""

    def _register_again(self) -> None:
        with self.connection.pipeline() as pipe:
            pipe.hset(self.key, mapping={**self.serialize(), "state": self.get_state()})
            worker_registration.register(self, pipe)
            pipe.expire(self.key, leases.LEASE_S)
            pipe.execute()

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """Called by RQ after the job, before it cleans up."""
        job.ended_at = now()

    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: StartedJobRegistry) -> None:
        """As RQ does where somebody wants the result; nobody wants ours, and one round trip forgets the job.

        RQ takes a dozen, to look for jobs that wait for this one (`voice.queues.jobs` cannot queue such) and
        to read each execution that is listed, which fails over one whose worker died.
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
        """Called once a job succeeded or failed; an earlier failure of the same id is over."""
        job.failed_job_registry.remove(job, pipeline=pipeline)
        super().cleanup_execution(job, pipeline)
        pipeline.delete(job.execution_registry.key)
        self.set_state(WorkerStatus.IDLE, pipeline=pipeline)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Say that a job failed. Not with what: messages may quote rows, and rows belong to people."""
        kind, _, trace = exc_info
        logger.warning("job %s failed: %s in %s", job.id, kind.__name__, place_of(trace))

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry | None = None,
        exc_string: str = "",
    ) -> None:
        """As RQ does, with the places of the traceback but without the message."""
        kind, _, trace = sys.exc_info()
        if kind:
            exc_string = f"{kind.__name__} in {places_of(trace)}"
        super().handle_job_failure(job, queue, started_job_registry, exc_string)

    def procline(self, message: str) -> None:
        """A process with several slots has no one title."""


def _count(running: Running, job: Job, *, is_done: bool) -> None:
    """Tell the metrics of a job that has ended."""
    seconds = time.monotonic() - running.started
    outcome = "ok" if is_done else "failed"
    metrics.JOBS.labels(queue=running.queue_name, outcome=outcome).inc()
    metrics.JOB_SECONDS.labels(queue=running.queue_name).observe(seconds)
    if job.enqueued_at:
        waited_s = (now() - job.enqueued_at).total_seconds() - seconds
        metrics.JOB_WAIT_SECONDS.labels(queue=running.queue_name).observe(max(0.0, waited_s))
