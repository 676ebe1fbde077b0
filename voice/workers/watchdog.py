"""Ends the process of a worker whose job or model hangs: nothing else ends a call inside a model."""

import faulthandler
import logging
import os
import time
from collections.abc import Callable, Iterable

from voice.workers.services import WarmServices
from voice.workers.slot import Running

logger = logging.getLogger(__name__)

STALLED_S = 60.0
"""A call that keeps Python's global lock stops the heartbeats too; a C thread ends the process after that."""
STUCK_STATUS = 75  # EX_TEMPFAIL in sysexits.h


class Watchdog:
    """Looks at the jobs and the models of one process.

    deadline_s: a job that runs longer is stuck.
    give_up: lets other workers have the jobs that run here.
    """

    def __init__(self, services: WarmServices, *, deadline_s: float, give_up: Callable[[], None]) -> None:
        self._services = services
        self._deadline_s = deadline_s
        self._give_up = give_up
        self._is_guarded = False

    def guard(self) -> None:
        """From the next `put_off_end` on, end the process too when not even the heartbeat thread runs."""
        self._is_guarded = True

    def unguard(self) -> None:
        """The process ends by itself now."""
        self._is_guarded = False
        faulthandler.cancel_dump_traceback_later()

    def put_off_end(self) -> None:
        """Say that the heartbeat thread runs, where `guard` was called."""
        if self._is_guarded:
            faulthandler.dump_traceback_later(STALLED_S, exit=True)

    def end_if_stuck(self, jobs: Iterable[Running]) -> None:
        """End the process when one of `jobs` has run for too long, or a model that they gave up on hangs."""
        for job in jobs:
            seconds = time.monotonic() - job.started
            if seconds > self._deadline_s + job.allowance_s:
                logger.error("job %s has run for %d s: ending this process", job.job_id, seconds)
                self._end(f"A job ran for more than {seconds:.0f} s.")
        if hung := [report.engine for report in self._services.reports() if report.state == "stuck"]:
            logger.error("%s hangs: ending this process", ", ".join(hung))
            self._end("A call of the model did not return.")

    def _end(self, reason: str) -> None:
        self._services.publish_stuck(reason)
        self._give_up()
        os._exit(STUCK_STATUS)
