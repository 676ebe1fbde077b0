"""Worker processes: models are loaded before the first job and stay, with several slots a process.

RQ's own worker forks for every job, which throws a loaded model away. Here each slot (`voice.workers.slot`)
is a thread that works with the models of its process. A small process beside it (`voice.workers.attendant`)
renews its leases while it lives, and ends it when a job is stuck. The process's supervisor starts a new one,
and the sweeper queues its jobs again.
"""

import faulthandler
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cached_property, partial

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from voice.errors import NotReady
from voice.workers import attendant, registration
from voice.workers.attendant import Notes
from voice.workers.services import Service, WarmServices
from voice.workers.slot import Slot
from voice.workers.stop_signals import StopSignals

logger = logging.getLogger(__name__)

TELL_EVERY_S = 2.0
REPEATED_SIGNAL_S = 1.0
"""Ctrl-C reaches a process twice, from the terminal and from its supervisor: that is one wish."""


class VoiceWorker:
    """One process: its services, its slots and what its attendant is told.

    queue_names: in the order of their priority. With several, one slot more than `slot_count` is kept for the
    first queue and its `-later`, so that long jobs of the others cannot delay them, and one more for each of
    the longest (`voice.workers.registration.LONG`).
    notes: to the attendant of this process; without, one is started in a thread.
    signals: those that the attendant sees, too.
    """

    def __init__(
        self,
        queue_names: Sequence[str],
        *,
        connection: redis.Redis,
        slot_count: int = 1,
        services: Iterable[Service] = (),
        notes: Notes | None = None,
        signals: StopSignals | None = None,
    ) -> None:
        self.queue_names = list(queue_names)
        self.slots: list[Slot] = []
        self._slot_count = slot_count
        self._services = WarmServices(services)
        self._given_notes = notes
        self._given_signals = signals
        self._threads: tuple[threading.Thread, ...] = ()
        self._stopping = threading.Event()
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
        faulthandler.enable()  # prints where each thread is when the attendant ends this process
        with self._given_signals or StopSignals() as signals:
            starter = threading.Thread(target=self._start, args=(when_ready, signals.wake), daemon=True)
            starter.start()
            number = signals.wait()
            self._notes.write("stopping")  # before it is forgotten: from now on the attendant counts
            signals.forget()
            is_finished = self._wait_for_slots(signals)
        if is_finished:
            self._say_goodbye()
            self._notes.close()
        else:
            registration.give_up(self.slots, self._connection, is_drained=True)
        status = 0 if number and is_finished else 1
        if not is_finished or starter.is_alive():
            os._exit(status)  # a thread inside a model cannot be ended otherwise
        return status

    def start(self) -> None:
        """Load, then serve in background threads."""
        self._start(lambda line: None, lambda: None)

    def checks(self) -> dict[str, Callable[[], None]]:
        """What must hold before it is ready, by name; each raises `NotReady` while it does not."""
        return {"slots": self._check_serving, **self._services.checks()}

    def stop(self) -> bool:
        """Take no more jobs and wait for those that run; return whether all have ended."""
        self._ask_to_stop()
        deadline = time.monotonic() + settings.WORKER_GRACE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        is_finished = all(slot.has_ended for slot in self.slots)
        if is_finished:
            self._say_goodbye()
            self._notes.close()
        return is_finished

    # start

    @cached_property
    def _notes(self) -> Notes:
        """To the attendant, from the moment it is needed."""
        return self._given_notes or attendant.threaded(self._connection, deadline_s=settings.JOB_DEADLINE_S)

    def _start(self, when_ready: Callable[[str], None], when_ended: Callable[[], None]) -> None:
        """Load and serve. `when_ended` is called for each thread that ends, expectedly or not."""
        is_started = False
        try:
            self._in_thread("telling", self._keep_telling, when_ended)
            self._services.load()
            slots = registration.registered_slots(
                self.queue_names,
                count=self._slot_count,
                connection=self._connection,
                notes=self._notes,
                stopping=self._stopping,
                serves=self._services.serves(),
            )
            if not self._stopping.is_set():
                self._pubsub.subscribe(**{slot.pubsub_channel_name: slot.handle_payload for slot in slots})
                self.slots = slots
                self._threads = tuple(
                    self._in_thread(slot.name, partial(self._serve, slot), when_ended) for slot in slots
                )
                when_ready(self._description())
                is_started = True
        finally:
            if not is_started:
                when_ended()

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
        slots = f"{len(self.slots)} slot{'s' if len(self.slots) > 1 else ''}"
        return f"ready: {'; '.join([', '.join(self.queue_names), *self._services.described(), slots])}"

    # what the attendant and Redis are told

    def _keep_telling(self) -> None:
        while not (self._stopping.is_set() and all(slot.has_ended for slot in self.slots)):
            next_at = time.monotonic() + TELL_EVERY_S
            self._notes.write("engines", reports=[asdict(report) for report in self._services.reports()])
            serves = self._services.serves()
            try:
                for slot in self.slots:
                    if not slot.has_ended:
                        slot.register_if_lost()
                        slot.tell_what_it_serves(serves)
                while (left_s := next_at - time.monotonic()) > 0:
                    self._pubsub.get_message(timeout=left_s)  # commands of RQ's admin, such as a shutdown
            except redis.RedisError:  # the slots log it
                self._stopping.wait(max(0.0, next_at - time.monotonic()))

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
            number = signals.wait(first + settings.WORKER_GRACE_S - time.monotonic())
            signals.forget()
            since_s = time.monotonic() - first
            if since_s >= settings.WORKER_GRACE_S or (number and since_s > REPEATED_SIGNAL_S):
                return False
        return True

    def _say_goodbye(self) -> None:
        try:
            registration.forget(self.slots)
        except redis.RedisError as error:
            logger.warning("Redis not reached (%s)", type(error).__name__)

    def _check_serving(self) -> None:
        if not self.slots or any(slot.has_ended for slot in self.slots):
            raise NotReady("not working yet, or not any more")
