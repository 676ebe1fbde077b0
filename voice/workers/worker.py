"""Worker processes: models are loaded before the first job and stay, with several slots a process.

RQ's own worker forks for every job, which throws a loaded model away. Here each slot (`voice.workers.slot`)
is a thread that works with the models of its process. One more thread sends the heartbeats of all slots, so
that the jobs of a dead process are noticed within `leases.LEASE_S`, and ends the process when a job is stuck.
The process's supervisor starts a new one, and the sweeper queues its jobs again.
"""

import faulthandler
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol
from uuid import uuid4

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.worker import WorkerStatus

from voice.errors import NotReady
from voice.inference import reports
from voice.inference.reports import EngineReport
from voice.infra.backoff import pause_s
from voice.queues import leases
from voice.workers.slot import DEQUEUE_S, FIRST_RECONNECT_S, LONGEST_RECONNECT_S, Running, Slot
from voice.workers.stop_signals import StopSignals

logger = logging.getLogger(__name__)

BEAT_S = 2.0
GRACE_S = 9.0
"""A little less than the demo's supervisor waits, so that leases of unfinished jobs are still released."""
REPEATED_SIGNAL_S = 1.0
"""Ctrl-C reaches a process twice, from the terminal and from its supervisor: both count as one signal."""
STALLED_S = 60.0
"""A call that holds Python's global lock stops the heartbeats too; then a C thread ends the process."""
STUCK_STATUS = 75  # EX_TEMPFAIL in sysexits.h


class Service(Protocol):
    """A model that a worker keeps loaded: a `Recognizer` or a `Synthesizer` of `voice.inference`."""

    def load(self) -> None:
        """Load the models. After EngineUnavailable each job tries again, and may fail, by itself."""

    def reports(self) -> Sequence[EngineReport]: ...


class VoiceWorker:
    """One process: its services, its slots and their heartbeat.

    queue_names: in the order of their priority. With several queues and several slots, slot 0 serves only the
    first queue and its `-later`, so that other jobs (such as captions) cannot delay them.
    deadline_s: a job that runs longer is stuck, and ends the process.
    """

    def __init__(
        self,
        queue_names: Sequence[str],
        *,
        connection: redis.Redis,
        slot_count: int = 1,
        services: Iterable[Service] = (),
        deadline_s: float = 120.0,
    ) -> None:
        self.queue_names = list(queue_names)
        self.slots: list[Slot] = []
        self._slot_count = slot_count
        self._services = tuple(services)
        self._deadline_s = deadline_s
        self._threads: tuple[threading.Thread, ...] = ()
        self._stopping = threading.Event()
        self._is_guarded = False
        self._reporting = threading.Lock()
        self._has_left = False
        self._connection = connection
        # One retry, for a connection that died while idle; `Slot.serve` waits when Redis is unreachable.
        connection.set_retry(Retry(NoBackoff(), 1))
        self._pubsub = connection.pubsub(ignore_subscribe_messages=True)
        for name in ("rq", "rq.worker", "rq.job"):  # rq sets them to INFO, and then logs every job
            logging.getLogger(name).setLevel(logging.WARNING)

    def run(self, when_ready: Callable[[str], None]) -> int:
        """Work until SIGTERM or SIGINT; return the exit status. For the main thread.

        when_ready: called with one line once everything is loaded.
        """
        self._is_guarded = True
        with StopSignals() as signals:
            starter = threading.Thread(target=self._start, args=(when_ready, signals.wake), daemon=True)
            starter.start()
            number = signals.wait()
            is_finished = self._wait_for_slots(signals)
        faulthandler.cancel_dump_traceback_later()
        if is_finished:
            self._say_goodbye()
        else:
            self._give_up()
        status = 0 if number and is_finished else 1
        if not is_finished or starter.is_alive():
            os._exit(status)  # a thread inside a model cannot be ended otherwise
        return status

    def start(self) -> None:
        """Load, then serve in background threads."""
        self._start(lambda line: None, lambda: None)

    def checks(self) -> dict[str, Callable[[], None]]:
        """Return the checks of readiness by name; each raises `NotReady` while it fails."""
        checks: dict[str, Callable[[], None]] = {"slots": self._check_serving}
        for service in self._services:
            for direction in {report.direction for report in service.reports()}:
                checks[direction] = partial(_check_warm, service)
        return checks

    def stop(self, grace_s: float = GRACE_S) -> bool:
        """Take no more jobs and wait for those that run; return whether all have ended."""
        self._ask_to_stop()
        deadline = time.monotonic() + grace_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        is_finished = all(slot.has_ended for slot in self.slots)
        if is_finished:
            self._say_goodbye()
        return is_finished

    # start

    def _start(self, when_ready: Callable[[str], None], when_ended: Callable[[], None]) -> None:
        """Load and serve. `when_ended` is called for each thread that ends, expectedly or not."""
        is_started = False
        try:
            self._in_thread("heartbeat", self._keep_alive, when_ended)
            for service in self._services:
                self._load(service)
            slots = self._registered_slots()
            if not self._stopping.is_set():
                self._pubsub.subscribe(**{slot.pubsub_channel_name: slot.handle_payload for slot in slots})
                self._put_off_end()
                self.slots = slots
                self._threads = tuple(
                    self._in_thread(slot.name, partial(self._serve, slot), when_ended) for slot in slots
                )
                when_ready(self._description())
                is_started = True
        finally:
            if not is_started:
                when_ended()

    def _load(self, service: Service) -> None:
        from voice.errors import EngineUnavailable  # imports numpy, which not every worker needs

        try:
            service.load()
        except EngineUnavailable as error:
            logger.warning("%s", error)

    def _registered_slots(self) -> list[Slot]:
        """The slots, known to Redis, however long it takes to come up."""
        failures = 0
        while not self._stopping.is_set():
            try:
                slots = [self._slot(index) for index in range(self._slot_count)]
                for slot in slots:
                    slot.register_birth()
                    slot.set_state(WorkerStatus.IDLE)
            except redis.RedisError as error:
                logger.warning("Redis not reached (%s): trying again", type(error).__name__)
                failures += 1
                pause = pause_s(failures, first_s=FIRST_RECONNECT_S, longest_s=LONGEST_RECONNECT_S)
                self._stopping.wait(pause)
            else:
                return slots
        return []

    def _slot(self, index: int) -> Slot:
        return Slot(
            self._reserved() if index == 0 and self._slot_count > 1 else self.queue_names,
            name=f"{socket.gethostname()}.{os.getpid()}.{index}.{uuid4().hex[:6]}",
            connection=self._connection,
            worker_ttl=DEQUEUE_S + 15,  # RQ subtracts these 15 again, and adds 10 s to the timeout of sockets
            log_job_description=False,
        )

    def _reserved(self) -> list[str]:
        first = self.queue_names[0]
        return [name for name in self.queue_names if name in (first, f"{first}-later")]

    def _serve(self, slot: Slot) -> None:
        try:
            slot.serve(self._stopping)
        finally:
            slot.has_ended = True

    def _in_thread(
        self, name: str, target: Callable[[], None], when_ended: Callable[[], None]
    ) -> threading.Thread:
        def guarded() -> None:
            try:
                target()
            finally:
                when_ended()

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread

    def _description(self) -> str:
        engines = [f"{r.engine} on {r.device}" for r in self._reports() if r.state == "ready"]
        if self._services and not engines:
            engines = ["no engine"]
        slots = f"{len(self.slots)} slot{'s' if len(self.slots) > 1 else ''}"
        return f"ready: {'; '.join([', '.join(self.queue_names), *engines, slots])}"

    # heartbeat and watchdog

    def _keep_alive(self) -> None:
        while not (self._stopping.is_set() and all(slot.has_ended for slot in self.slots)):
            self._end_if_stuck()
            if self.slots:
                self._put_off_end()
            next_at = time.monotonic() + BEAT_S
            try:
                self._beat()
                while (left_s := next_at - time.monotonic()) > 0:
                    self._pubsub.get_message(timeout=left_s)  # commands of RQ's admin, such as a shutdown
            except redis.RedisError:  # the slots log it
                self._stopping.wait(max(0.0, next_at - time.monotonic()))

    def _put_off_end(self) -> None:
        """Arm the guard against a call that blocks even the heartbeat thread."""
        if self._is_guarded:
            faulthandler.dump_traceback_later(STALLED_S, exit=True)

    def _beat(self) -> None:
        for slot in self.slots:
            if not slot.has_ended:
                slot.beat()
        with self._reporting:
            if not self._has_left:
                reports.publish(self._reports(), self._connection)

    def _end_if_stuck(self) -> None:
        """End the process when a job runs too long, or a model call that timed out still hangs.

        Nothing else ends a call inside a model.
        """
        for running in self._running():
            seconds = time.monotonic() - running.started
            if seconds > self._deadline_s + running.allowance_s:
                logger.error("job %s has run for %d s: ending this process", running.job_id, seconds)
                self._report_stuck(f"A job ran for more than {seconds:.0f} s.")
                self._give_up()
                os._exit(STUCK_STATUS)
        if hung := [report.engine for report in self._reports() if report.state == "stuck"]:
            logger.error("%s hangs: ending this process", ", ".join(hung))
            self._report_stuck("A call of the model did not return.")
            self._give_up()
            os._exit(STUCK_STATUS)

    def _report_stuck(self, reason: str) -> None:
        last_reports = [
            replace(report, state="stuck", last_error=reason)
            if report.state in ("ready", "stuck")
            else report
            for report in self._reports()
        ]
        try:
            reports.publish(last_reports, self._connection)
        except redis.RedisError as error:
            logger.warning("Redis not reached (%s)", type(error).__name__)

    # stop

    def _ask_to_stop(self) -> None:
        self._stopping.set()
        for slot in self.slots:
            slot.stop_soon()

    def _wait_for_slots(self, signals: StopSignals) -> bool:
        """Return whether all slots ended in time and no second signal came."""
        self._ask_to_stop()
        first = time.monotonic()
        while not all(slot.has_ended for slot in self.slots):
            number = signals.wait(first + GRACE_S - time.monotonic())
            since_s = time.monotonic() - first
            if since_s >= GRACE_S or (number and since_s > REPEATED_SIGNAL_S):
                return False
        return True

    def _give_up(self) -> None:
        """Release the running jobs to other workers."""
        executions = [running.execution for running in self._running()]
        try:
            leases.give_up(executions, self._connection)
            for slot in self.slots:
                slot.register_death()
        except redis.RedisError as error:
            logger.warning("Redis not reached (%s): leases end in %d s", type(error).__name__, leases.LEASE_S)

    def _say_goodbye(self) -> None:
        try:
            for slot in self.slots:
                slot.register_death()
            with self._reporting:
                self._has_left = True
                reports.withdraw(self._reports(), self._connection)
        except redis.RedisError as error:
            logger.warning("Redis not reached (%s)", type(error).__name__)

    def _check_serving(self) -> None:
        if not self.slots or any(slot.has_ended for slot in self.slots):
            raise NotReady("not working yet, or not any more")

    def _running(self) -> list[Running]:
        return [running for slot in self.slots if (running := slot.running)]

    def _reports(self) -> list[EngineReport]:
        return [report for service in self._services for report in service.reports()]


def _check_warm(service: Service) -> None:
    reports = service.reports()
    if not any(report.state == "ready" for report in reports):
        cold = "; ".join(f"{r.engine} {r.last_error or r.state}" for r in reports)
        raise NotReady(f"no engine is warm: {cold}")
