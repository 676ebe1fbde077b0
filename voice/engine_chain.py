"""Engines in the order they are tried, and what is known of each.

The first that loads serves. Those after it cost no memory until it cannot serve: they are loaded when they
are needed.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from voice.engine_reports import Direction, EngineReport, State
from voice.engines.base import EngineUnavailable, LanguageUnsupported

RELOAD_AFTER_S = 60.0
"""An engine that could not be loaded is tried again only then, and only if nothing before it serves: looking
for a model hub that cannot be reached takes seconds."""


class Engine(Protocol):
    """What both kinds of engine have in common (`voice.engines.base`)."""

    name: str
    model: str
    device: str

    def load(self) -> None: ...


E = TypeVar("E", bound=Engine)


class Link(Generic[E]):
    """One engine of a chain."""

    def __init__(self, engine: E) -> None:
        self.engine = engine
        self.state: State = "standby"
        self.last_error = ""
        self._failed_at = 0.0
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the engine unless it is loaded; other threads that need it wait.

        Raises:
            EngineUnavailable: it cannot be loaded, now or less than `RELOAD_AFTER_S` ago.
        """
        if self.state == "ready":
            return
        with self._lock:
            if self.state == "unavailable" and time.monotonic() - self._failed_at < RELOAD_AFTER_S:
                raise EngineUnavailable(self.last_error)
            if self.state != "ready":
                self._load()

    def _load(self) -> None:
        self.state = "loading"
        try:
            self.engine.load()
        except EngineUnavailable as error:
            self.state, self.last_error, self._failed_at = "unavailable", str(error), time.monotonic()
            raise
        except BaseException:  # a fault of ours: the process ends, but must not say "loading" until then
            self.state = "unavailable"
            raise
        self.state, self.last_error = "ready", ""

    def note(self, error: EngineUnavailable) -> None:
        """Remember why a call failed, for the admin; the next call tries this engine again."""
        if not isinstance(error, LanguageUnsupported):
            self.last_error = str(error)


class EngineChain(Generic[E]):
    """The engines of one direction in one process."""

    def __init__(self, direction: Direction, engines: Iterable[E]) -> None:
        self.direction = direction
        self.links = tuple(Link(engine) for engine in engines)

    def __iter__(self) -> Iterator[Link[E]]:
        return iter(self.links)

    def load(self) -> None:
        """Load the first engine that can be loaded.

        Raises:
            EngineUnavailable: none can; the message has the reason of each.
        """
        for link in self.links:
            try:
                link.load()
            except EngineUnavailable:
                continue
            return
        reasons = "; ".join(f"{link.engine.name}: {link.last_error}" for link in self.links)
        raise EngineUnavailable(f"No engine for {self.direction}. {reasons or 'None is configured.'}")

    def reports(self) -> tuple[EngineReport, ...]:
        """What is known of each engine, in order."""
        return tuple(
            EngineReport(
                direction=self.direction,
                engine=link.engine.name,
                model=link.engine.model,
                device=link.engine.device,
                state=link.state,
                last_error=link.last_error,
            )
            for link in self.links
        )
