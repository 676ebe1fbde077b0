"""What a worker process keeps warm."""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from voice.errors import EngineUnavailable, NotReady
from voice.inference.reports import EngineReport

logger = logging.getLogger(__name__)


class Service(Protocol):
    """What a worker keeps warm: a `Recognizer` or a `Synthesizer` of `voice.inference`."""

    def load(self) -> None:
        """Make ready. EngineUnavailable leaves the jobs to try, and to fail, by themselves."""

    def reports(self) -> Sequence[EngineReport]: ...


class WarmServices:
    """The services of one process."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = tuple(services)

    def load(self) -> None:
        """Load each; one whose engines are all missing is logged."""
        for service in self._services:
            try:
                service.load()
            except EngineUnavailable as error:
                logger.warning("%s", error)

    def reports(self) -> list[EngineReport]:
        """What is known of each engine."""
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


def _check_warm(service: Service) -> None:
    reports = service.reports()
    if not any(report.state == "ready" for report in reports):
        cold = "; ".join(f"{r.engine} {r.last_error or r.state}" for r in reports)
        raise NotReady(f"no engine is warm: {cold}")
