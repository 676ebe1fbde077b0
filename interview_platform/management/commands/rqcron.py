"""Django-RQ's `rqcron`, with an address that tells whether the clock still goes.

/health    it looked for due jobs not long ago; else 503
/metrics   as those of a worker
"""

import time
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django_rq.cron import DjangoCronScheduler
from django_rq.management.commands import rqcron
from rq.cron import CronJob

from voice.monitoring import process_http

STUCK_AFTER_S = 60.0
"""It looks every few seconds. Longer than this it waits for a Redis that does not answer."""


class Clock(DjangoCronScheduler):
    """Django-RQ's scheduler, which notes when it last looked for due jobs."""

    looked_at = 0.0

    def enqueue_jobs(self) -> list[CronJob]:
        """Queue what is due."""
        queued = super().enqueue_jobs()
        self.looked_at = time.monotonic()
        return queued

    def health(self) -> str:
        """Return what is wrong; "" for nothing."""
        seconds = time.monotonic() - self.looked_at
        return f"has not looked for jobs for {seconds:.0f} s" if seconds > STUCK_AFTER_S else ""


class Command(rqcron.Command):
    """manage.py rqcron interview_platform.cron"""

    # They import every page and its forms, which the clock never shows.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, config_path: str, logging_level: str, **options: Any) -> None:
        """Queue jobs by the clock until a signal comes."""
        clock = Clock(logging_level=logging_level)  # type: ignore[arg-type]  # a name will do
        clock.looked_at = time.monotonic()
        clock.load_config_from_file(config_path)
        with _http(clock):
            clock.start()


def _http(clock: Clock) -> Any:
    """Return what answers while its block runs."""
    if not settings.CRON_PORT:
        return nullcontext()
    address = settings.CRON_HOST, settings.CRON_PORT
    try:
        listener = process_http.listening(address)
    except OSError as error:
        place = f"{settings.CRON_HOST}:{settings.CRON_PORT}"
        raise CommandError(
            f"{place} cannot be opened ({error.strerror}): choose another CRON_PORT."
        ) from None
    pages: process_http.Pages = {
        "/health": lambda: process_http.as_health(clock.health()),
        "/metrics": process_http.metrics,
    }
    return process_http.Server(listener, pages).running()
