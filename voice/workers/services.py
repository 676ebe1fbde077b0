"""The services that a worker process keeps warm, and its reports of them to other processes."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import redis

from voice.errors import EngineUnavailable, NotReady
from voice.inference import reports as inference_reports
from voice.inference.reports import EngineReport

logger = logging.getLogger(__name__)


class Service(Protocol):
    """A service that a worker keeps warm: a `Recognizer` or a `Synthesizer` of `voice.inference`."""

    def load(self) -> None:
        """Make ready. EngineUnavailable leaves the jobs to try, and to fail, by themselves."""

    def reports(self) -> Sequence[EngineReport]: ...


class WarmServices:
    """The services of one process."""

    def __init__(self, services: Iterable[Service], connection: redis.Redis) -> None:
        self._services = tuple(services)
        self._connection = connection
        self._reporting = threading.Lock()
        self._has_left = False

    def load(self) -> None:
        """Load each; one whose engines are all missing is logged."""
        for service in self._services:
            try:
                service.load()
            except EngineUnavailable as error:
                logger.warning("%s", error)

    def reports(self) -> list[EngineReport]:
        """Return a report of each engine."""
        return [report for service in self._services for report in service.reports()]

    def checks(self) -> dict[str, Callable[[], None]]:
        """For each direction, a function that raises `NotReady` while none of its engines is warm."""
        return {
            report.direction: partial(_check_warm, service)
            for service in self._services
            for report in service.reports()
        }

    def warm_engines(self) -> list[str]:
        """Each warm engine with its device, in words; nothing where there is no service."""
        engines = [f"{r.engine} on {r.device}" for r in self.reports() if r.state == "ready"]
        return engines or (["no engine"] if self._services else [])

    def publish(self) -> None:
        """Tell the other processes, unless `withdraw` was called. Raises redis.RedisError."""
        with self._reporting:
            if not self._has_left:
                inference_reports.publish(self.reports(), self._connection)

    def publish_stuck(self, reason: str) -> None:
        """Tell the other processes that what served hangs."""
        reports = [
            replace(report, state="stuck", last_error=reason)
            if report.state in ("ready", "stuck")
            else report
            for report in self.reports()
        ]
        try:
            inference_reports.publish(reports, self._connection)
        except redis.RedisError as error:
            logger.warning("Redis not reached (%s)", type(error).__name__)

    def withdraw(self) -> None:
        """Let the other processes forget what they were told. Raises redis.RedisError."""
        with self._reporting:
            self._has_left = True
            inference_reports.withdraw(self.reports(), self._connection)


def _check_warm(service: Service) -> None:
    reports = service.reports()
    if not any(report.state == "ready" for report in reports):
        cold = "; ".join(f"{r.engine} {r.last_error or r.state}" for r in reports)
        raise NotReady(f"no engine is warm: {cold}")
