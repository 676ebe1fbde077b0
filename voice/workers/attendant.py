"""The attendant: a small process beside each worker that vouches for it, and ends it when a job hangs.

A worker may get no processor for a minute, or be inside C code that holds Python's global lock; a heartbeat
from one of its own threads would fall silent then. The attendant is forked before the worker has threads, has
a session and a priority of its own, and does next to nothing, so it gets the processor.

The worker writes what it does into a pipe: a line of JSON for each `Note`. The attendant renews its leases
every `BEAT_S` for as long as the pipe is open. The kernel closes it when the worker ends, however it ends:
then other workers may have its jobs at once. A job that used up its time is stuck, and the worker is ended;
the time that it spent waiting for a processor does not count.

It also sees the signal that asks the worker to end, counts the grace, and ends it when a model keeps it from
ending by itself. And it answers /health (`voice.monitoring.worker_http`).
"""

import contextlib
import gc
import json
import logging
import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from voice.inference import reports as inference_reports
from voice.inference.reports import EngineReport
from voice.infra import processor
from voice.infra.processor import UnstarvedClock
from voice.queues import leases
from voice.queues.leases import Work
from voice.workers.stop_signals import StopSignals

if TYPE_CHECKING:
    from voice.monitoring.worker_http import Door

logger = logging.getLogger(__name__)

BEAT_S = 2.0
REDIS_WITHIN_S = 2.0
"""Longer than this the attendant does not wait for Redis."""
STOPPED_BEATS = 2
"""A worker that is found stopped so often in a row is taken for dead until it goes on."""
A_MOMENT_S = 0.05
LATER_S = 0.5
"""So much later than the worker itself it ends a worker that had its grace."""
ENDING_S = 2.0
"""Time for a worker that is ended to print where its threads are, and for an attendant to let go."""


@dataclass(frozen=True, slots=True)
class Running:
    """A job in a slot. started_s: by the attendant's clock.

    allowance_s: the extra time beyond the worker's deadline that the job has requested for long work.
    """

    work: Work
    started_s: float
    allowance_s: float = 0.0


@dataclass(slots=True)
class Ward:
    """What the attendant knows of its worker, from the notes. Times are seconds of the clock it is given."""

    deadline_s: float
    running: dict[str, Running | None] = field(default_factory=dict)
    """By the slot's key in Redis; None while it has no job."""
    reports: list[EngineReport] = field(default_factory=list)
    is_stopping: bool = False
    """Whether the worker takes no more jobs and ends."""
    heard_s: float | None = None
    """When the last note came; None before the first."""

    def note(self, kind: str, fields: dict[str, Any], now_s: float) -> None:
        """Take in a note of the worker."""
        self.heard_s = now_s
        match kind:
            case "slot":
                self.running.setdefault(fields["slot"], None)
            case "began":
                work = Work(fields["job_id"], fields["queue_name"], fields["execution_id"])
                self.running[fields["slot"]] = Running(work, now_s)
            case "allowed":
                self._allow(fields["slot"], fields["seconds"])
            case "ended":
                self.running[fields["slot"]] = None
            case "left":
                self.running.pop(fields["slot"], None)
            case "engines":
                self.reports = [EngineReport(**report) for report in fields["reports"]]
            case "stopping":
                self.is_stopping = True

    def _allow(self, slot: str, seconds: float) -> None:
        if job := self.running.get(slot):
            self.running[slot] = replace(job, allowance_s=seconds)

    def stuck(self, now_s: float) -> str:
        """Return why the worker has to be ended; "" while nothing hangs."""
        for job in filter(None, self.running.values()):
            seconds = now_s - job.started_s
            if seconds > self.deadline_s + job.allowance_s:
                return f"job {job.work.job_id} has run for {seconds:.0f} s"
        hung = [report.engine for report in self.reports if report.state == "stuck"]
        return f"{', '.join(hung)} hangs" if hung else ""

    def silent(self, now_s: float) -> str:
        """Return for how long the worker has said nothing, which it does every few seconds; "" while it does.

        A model may hold Python's lock for many seconds, but not for longer than a job may take.
        """
        allowed_s = max([0.0, *(job.allowance_s for job in filter(None, self.running.values()))])
        seconds = 0.0 if self.heard_s is None else now_s - self.heard_s
        return f"no sign of life for {seconds:.0f} s" if seconds > self.deadline_s + allowed_s else ""


class Notes:
    """The worker's end of the pipe. Thread-safe."""

    def __init__(self, pipe: int, *, attendant: int | None = None) -> None:
        """pipe: its writing end. attendant: the process that reads it, where it is a child of this one."""
        self._pipe = pipe
        self._attendant = attendant
        self._lock = threading.Lock()
        self._is_read = True

    def write(self, kind: str, **fields: Any) -> None:
        """Tell the attendant; without one this worker is taken for dead, so it stops."""
        line = json.dumps([kind, fields]).encode() + b"\n"
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._pipe, line) :]
            except OSError:
                self._stop()

    def close(self) -> None:
        """Let the attendant end, and wait a moment for that; further calls do nothing."""
        with self._lock:
            self._is_read = False
            if self._pipe >= 0:
                os.close(self._pipe)
            self._pipe = -1
        if self._attendant:
            with contextlib.suppress(ChildProcessError, ProcessLookupError):
                _wait_for(self._attendant)
                os.waitpid(self._attendant, os.WNOHANG)

    def _stop(self) -> None:
        if self._is_read:
            self._is_read = False
            logger.error("the attendant of this worker has ended: stopping")
            os.kill(os.getpid(), signal.SIGTERM)


class Attendant:
    """The life of the attendant: read notes, renew leases, look for what is stuck, until the pipe closes."""

    def __init__(
        self,
        notes: int,
        ward: Ward,
        *,
        connection: redis.Redis,
        now_s: Callable[[], float],
        end_worker: Callable[[], None],
        kill_worker: Callable[[], None] = lambda: None,
        is_stopped: Callable[[], bool] = lambda: False,
        signals: StopSignals | None = None,
        grace_s: float = math.inf,
    ) -> None:
        """notes: the reading end of the pipe. now_s: the clock that deadlines are measured by.

        end_worker: ends the process of the worker, whatever it does, and lets it say where it hangs.
        kill_worker: ends it at once.
        is_stopped: whether the process was stopped from outside and may never go on.
        signals: those that ask the worker to end. grace_s: for how long it may then go on.
        """
        self._notes, self._ward = notes, ward
        self._connection, self._now_s, self._end_worker = connection, now_s, end_worker
        self._kill_worker, self._is_stopped = kill_worker, is_stopped
        self._signals, self._grace_s = signals, grace_s
        self._ends_at = math.inf
        self._stopped_beats = 0
        self._looked_s = now_s()
        self._unread = b""
        self._is_ending = False

    def attend(self) -> None:
        """Return when the worker has ended."""
        beat_at = time.monotonic()
        while self._read(min(beat_at, self._ends_at) - time.monotonic()):
            if self._ward.is_stopping and self._ends_at == math.inf:
                self._ends_at = time.monotonic() + self._grace_s + LATER_S
            if time.monotonic() >= self._ends_at and not self._is_ending:
                self._drain()
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + BEAT_S
                self._beat()
        self._try(self._let_go)

    def health(self) -> str:
        """Return why the worker should be replaced; "" while it works. From any thread."""
        if self._is_stopped():
            return "stopped from outside"
        now_s = self._now_s()
        return self._ward.stuck(now_s) or self._ward.silent(now_s)

    def _read(self, within_s: float) -> bool:
        """Take in what comes within this time; False at the end of the pipe."""
        asked = [self._signals.fileno()] if self._signals and not self._ward.is_stopping else []
        readable, _, _ = select.select([self._notes, *asked], [], [], max(0.0, within_s))
        if asked and asked[0] in readable:
            self._look_at_signals()
        if self._notes not in readable:
            return True
        piece = os.read(self._notes, 65_536)
        *lines, self._unread = (self._unread + piece).split(b"\n")
        for line in lines:
            kind, fields = json.loads(line)
            self._ward.note(kind, fields, self._looked_s)
        return bool(piece)

    def _look_at_signals(self) -> None:
        """See a signal that the worker may have no time to look at."""
        if self._signals and self._signals.is_asked():
            self._ward.is_stopping = True
        else:
            time.sleep(A_MOMENT_S)  # it was woken for another reason, and is about to look

    def _drain(self) -> None:
        """End a worker that had its grace: its jobs begin again elsewhere, without harm to them."""
        logger.warning("still at work after %g s of grace: ending this process", self._grace_s)
        self._is_ending = True
        self._try(lambda: leases.give_up(self._ward.running, self._connection, is_drained=True))
        self._kill_worker()

    def _beat(self) -> None:
        if self._is_ending:
            return
        self._looked_s = self._now_s()
        self._stopped_beats = self._stopped_beats + 1 if self._is_stopped() else 0
        if reason := self._ward.stuck(self._looked_s):
            self._end(reason)
        elif self._stopped_beats >= STOPPED_BEATS:
            self._try(self._let_go)
        else:
            self._try(self._renew)

    def _renew(self) -> None:
        with self._connection.pipeline(transaction=False) as pipe:
            for slot, job in self._ward.running.items():
                leases.renew(slot, job.work if job else None, pipe)
            pipe.execute()
        inference_reports.publish(self._ward.reports, self._connection)

    def _let_go(self) -> None:
        """The worker has ended, or stands still: others may have its jobs, and its engines serve no more."""
        leases.end(self._ward.running, self._connection)
        if not self._is_ending:  # then they are known to be stuck
            inference_reports.withdraw(self._ward.reports, self._connection)

    def _end(self, reason: str) -> None:
        logger.error("%s: ending this process", reason)
        self._is_ending = True
        told = [
            replace(report, state="stuck", last_error=f"{reason[:1].upper()}{reason[1:]}.")
            if report.state in ("ready", "stuck")
            else report
            for report in self._ward.reports
        ]
        self._try(lambda: inference_reports.publish(told, self._connection))
        self._try(lambda: leases.give_up(self._ward.running, self._connection))
        self._end_worker()

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except redis.RedisError as error:
            logger.warning("Redis not reached (%s)", type(error).__name__)


def forked(
    connection: redis.Redis,
    *,
    deadline_s: float,
    grace_s: float = math.inf,
    signals: StopSignals | None = None,
    door: "Door | None" = None,
) -> Notes:
    """Fork the attendant of this process, which must not have threads yet; return what to write to.

    deadline_s: a job that runs longer, by `UnstarvedClock`, is stuck.
    grace_s: this long after one of the `signals` the worker is ended.
    door: what is asked of the worker over HTTP.
    """
    reading, writing = os.pipe()
    worker = os.getpid()
    if child := os.fork():
        os.close(reading)
        if door:
            door.leave()
        return Notes(writing, attendant=child)
    os.close(writing)
    try:
        _become_attendant()
        attendant = _attendant(reading, worker, connection, deadline_s, signals=signals, grace_s=grace_s)
        with door.answering(attendant.health) if door else contextlib.nullcontext():
            attendant.attend()
    finally:
        os._exit(0)


def threaded(connection: redis.Redis, *, deadline_s: float) -> Notes:
    """Start an attendant in a thread, for a worker that shares its process with others, as in tests."""
    reading, writing = os.pipe()
    attendant = _attendant(reading, os.getpid(), connection, deadline_s)

    def attend() -> None:
        attendant.attend()
        os.close(reading)

    threading.Thread(target=attend, name="attendant", daemon=True).start()
    return Notes(writing)


def _attendant(
    notes: int, worker: int, connection: redis.Redis, deadline_s: float, **options: Any
) -> Attendant:
    return Attendant(
        notes,
        Ward(deadline_s),
        connection=_own_connection(connection),
        now_s=UnstarvedClock(worker).now_s,
        end_worker=partial(_end, worker),
        kill_worker=partial(_kill, worker),
        is_stopped=partial(processor.is_stopped, worker),
        **options,
    )


def _become_attendant() -> None:
    """Live apart from the worker: neither its priority nor signals to its group hold here."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    processor.stand_back(0)
    gc.freeze()  # the memory that is shared with the worker stays shared


def _own_connection(connection: redis.Redis) -> redis.Redis:
    """A connection to the same Redis, for a process of its own."""
    pool = connection.connection_pool
    own = {"socket_timeout": REDIS_WITHIN_S, "socket_connect_timeout": REDIS_WITHIN_S}
    options = pool.connection_kwargs | own | {"retry": Retry(NoBackoff(), 1)}
    return redis.Redis(
        connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **options)
    )


def _end(worker: int) -> None:
    """End the process: SIGABRT lets faulthandler print where it hangs, also inside C code."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGABRT)
        _wait_for(worker)
        os.kill(worker, signal.SIGKILL)


def _kill(worker: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)


def _wait_for(process: int) -> None:
    """Return when the process has ended, or after `ENDING_S`. Raises ProcessLookupError."""
    ended = [os.pidfd_open(process)] if sys.platform == "linux" else []
    select.select(ended, [], [], ENDING_S)
