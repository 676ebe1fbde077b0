"""The services that a worker process keeps warm."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Protocol

from django.conf import settings

from voice.engines.origins import origins
from voice.errors import EngineUnavailable, NotReady
from voice.inference.reports import DETECTED, EngineReport
from voice.queues import pools

logger = logging.getLogger(__name__)

MOST_LANGUAGES = 11
"""That are named of each engine."""


class Service(Protocol):
    """A service that a worker keeps warm: a `Recognizer` or a `Synthesizer` of `voice.inference`."""

    def load(self) -> None:
        """Make ready. EngineUnavailable leaves the jobs to try, and to fail, by themselves."""

    def reports(self) -> Sequence[EngineReport]: ...

    def offered(self) -> Mapping[str, Sequence[str]]:
        """The languages of each engine that can be used, by its name."""

    def served(self) -> Mapping[str, Sequence[str]]:
        """The languages that each engine is the first to serve, by its name."""


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
        """Return a report of each engine, with the origins of the models of those that are loaded."""
        return [_with_origins(report) for service in self._services for report in service.reports()]

    def serves(self) -> str:
        """Return what the engines that can be used now serve, for `voice.queues.pools`.

        "" without a service: such a worker does not tell.
        """
        served = sorted({what for service in self._services for what in _served_by(service)})
        return " ".join(served) or ("nothing" if self._services else "")

    def checks(self) -> dict[str, Callable[[], None]]:
        """For each direction, a function that raises `NotReady` while none of its engines is warm."""
        return {
            report.direction: partial(_check_warm, service)
            for service in self._services
            for report in service.reports()
        }

    def described(self) -> list[str]:
        """What is used for which language, in words; nothing where there is no service."""
        return [_described(service) for service in self._services]


def _with_origins(report: EngineReport) -> EngineReport:
    if report.state != "ready":
        return report
    found = origins(report.engine, report.model, settings.VOICE)
    return replace(report, origins=tuple(asdict(origin) for origin in found))


def _served_by(service: Service) -> set[str]:
    offered = service.offered()
    if {report.direction for report in service.reports()} == {"synthesis"}:
        return {pools.engine(name.partition("@")[0]) for name, languages in offered.items() if languages}
    languages = {code for codes in offered.values() for code in codes}
    return {pools.language("" if code == DETECTED else code) for code in languages}


def _described(service: Service) -> str:
    served = service.served()
    used = [
        f"{report.engine} on {report.device} for {_in_words(served.get(report.engine, ()))}"
        for report in service.reports()
        if report.state == "ready" or served.get(report.engine)
    ]
    return ", ".join(used) or "no engine"


def _in_words(languages: Sequence[str]) -> str:
    codes = [code for code in languages if code != DETECTED]
    further = f" and {len(codes) - MOST_LANGUAGES} more" if len(codes) > MOST_LANGUAGES else ""
    return " ".join(codes[:MOST_LANGUAGES]) + further or "no language"


def _check_warm(service: Service) -> None:
    reports = service.reports()
    if not any(report.state == "ready" for report in reports):
        cold = "; ".join(f"{r.engine} {r.last_error or r.state}" for r in reports)
        raise NotReady(f"no engine is warm: {cold}")
