"""A chain of engines in the order in which they are tried, with the state of each.

The first engine that loads is used. The later ones cost no memory until it fails: they are loaded when
needed. Each engine has a breaker (`voice.inference.breaker`). Transient failures are retried
(`voice.inference.retry`) before the breaker counts a failure and the next engine is tried, so one call is at
most one failure.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from voice import metrics
from voice.engines.base import Engine
from voice.errors import (
    AudioRejected,
    EngineUnavailable,
    LanguageUnsupported,
    RequestRefused,
    SynthesisFailed,
    TransientFailure,
    VoiceError,
    VoiceUnavailable,
)
from voice.inference.breaker import Breaker
from voice.inference.handover import Handover
from voice.inference.reports import EngineReport, State
from voice.inference.retry import Retry
from voice.infra import tracing
from voice.types import Direction

RELOAD_AFTER_S = 60.0
"""How long an engine that could not be loaded is not retried.

It is then retried only if no engine before it works: checking for an unreachable model hub takes seconds.
"""

REJECTIONS = (AudioRejected, LanguageUnsupported, RequestRefused, SynthesisFailed)
"""Errors of the request, not of the engine."""


E = TypeVar("E", bound=Engine)
T = TypeVar("T")


@dataclass(slots=True)
class EngineCall:
    """One call of one engine; for its last try, the seconds inside the engine and of the audio."""

    link: "Link[Any]"
    handover: Handover[Any]
    engine_s: float = 0.0
    audio_s: float = 0.0

    def tried(self, work: Callable[[], T], retry: Retry) -> T:
        """Return the result of `work()`, retrying transient failures while no result was passed on.

        Raises:
            Exception: what the last try raised.
        """
        return retry.call(work, may_retry=lambda: not self.handover.has_begun, on_retry=self._begin_again)

    def _begin_again(self) -> None:
        self.engine_s = self.audio_s = 0.0
        self.link.count_retry()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the time inside the block as the engine's."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.engine_s += time.perf_counter() - started


class Link(Generic[E]):
    """One engine of a chain.

    name: the engine's, and with "@" that of the pool: its breaker and its counts are those of the pool alone.
    """

    def __init__(self, direction: Direction, engine: E, pool: str = "") -> None:
        self.engine = engine
        self.name = f"{engine.name}@{pool}" if pool else engine.name
        self.state: State = "standby"
        self.last_error = ""
        self._labels = (direction, self.name)
        self._breaker = Breaker(direction, self.name)
        self._failed_at = 0.0
        self._lock = threading.Lock()

    @property
    def is_usable(self) -> bool:
        """Whether it works, or may work once it is loaded, and is not left alone after failures."""
        return self.state in ("ready", "standby") and not self._breaker.is_open

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
            self._count_failure("load")
            raise
        except BaseException:  # our own bug: the process ends, but must not report "loading" until then
            self.state = "unavailable"
            raise
        self.state, self.last_error = "ready", ""

    @contextmanager
    def call(self, handover: Handover[Any]) -> Iterator[EngineCall]:
        """Let the block call the engine, once it is loaded, and tell its breaker how that went.

        An engine that cannot be loaded here may work elsewhere, so the breaker, which all processes share,
        does not count that.

        handover: of what the engine makes.

        Raises:
            EngineOpen: the engine is not called for a while.
            EngineUnavailable: it cannot be loaded.
        """
        attempt = self._breaker.admit()
        call = EngineCall(self, handover)
        is_loaded = False
        with self._traced(call):
            try:
                self.load()
                is_loaded = True
                yield call
            except (*REJECTIONS, VoiceUnavailable) as error:
                attempt.released()
                self._count_failure(_kind(error))
                raise
            except Exception as error:
                if is_loaded and not handover.is_outside:
                    attempt.failed(error)
                    self._count_failure(_kind(error))
                else:
                    attempt.released()
                raise
            except BaseException:
                if handover.is_declined:
                    attempt.succeeded()
                    self._observe(call)
                else:
                    attempt.released()
                raise
            attempt.succeeded()
            self._observe(call)

    @contextmanager
    def _traced(self, call: EngineCall) -> Iterator[None]:
        """Make the block a span, but no one's parent: a voice leaves it after each piece and comes back."""
        direction, name = self._labels
        context = tracing.begin(
            f"{direction} {name}",
            "CLIENT" if self.engine.device == "cloud" else "INTERNAL",
            attributes={"voice.engine": name, "voice.model": self.engine.model.rpartition("/")[2]},
        )
        try:
            yield
        except REJECTIONS:
            raise  # the caller's mistake
        except Exception as error:
            tracing.failed(type(error).__name__, context)
            raise
        finally:
            tracing.end(context, {"voice.audio_s": call.audio_s, "voice.engine_s": call.engine_s})

    def note(self, error: Exception) -> None:
        """Remember why a call failed, for the admin; the next call tries this engine again."""
        if isinstance(error, EngineUnavailable):
            self.last_error = str(error)

    def count_retry(self) -> None:
        """Count a transient failure that is about to be retried."""
        self._count_failure("transient")
        metrics.ENGINE_RETRIES.labels(*self._labels).inc()

    def _count_failure(self, kind: str) -> None:
        metrics.ENGINE_FAILURES.labels(*self._labels, kind).inc()

    def _observe(self, call: EngineCall) -> None:
        metrics.ENGINE_SECONDS.labels(*self._labels).observe(call.engine_s)
        if call.audio_s:
            metrics.ENGINE_REAL_TIME_FACTOR.labels(*self._labels).observe(call.engine_s / call.audio_s)


def _kind(error: Exception) -> str:
    if isinstance(error, REJECTIONS):
        return "rejected"
    if isinstance(error, TransientFailure):
        return "transient"
    return "unavailable" if isinstance(error, EngineUnavailable) else "unexpected"


class NoneServed(Exception):
    """No engine did the work; `errors` has the name and the error of each engine tried, in order."""

    def __init__(self, errors: Iterable[tuple[str, Exception]]) -> None:
        self.errors = tuple(errors)
        super().__init__(self.reasons)

    @property
    def reasons(self) -> str:
        """The reason of each engine; empty if every engine only lacks the language."""
        return "; ".join(
            f"{name}: {error if isinstance(error, VoiceError) else type(error).__name__}"
            for name, error in self.errors
            if not isinstance(error, LanguageUnsupported)
        )

    @property
    def blamed(self) -> Exception | None:
        """The first error other than a missing engine: a text no engine can speak, or our own bug."""
        return next((error for _, error in self.errors if not isinstance(error, EngineUnavailable)), None)


class EngineChain(Generic[E]):
    """The engines of one direction in one process."""

    def __init__(self, direction: Direction, engines: Iterable[E], *, pool: str = "") -> None:
        self.direction = direction
        self.links = tuple(Link(direction, engine, pool) for engine in engines)

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

    def first_to_serve(
        self, links: Iterable[Link[E]], work: Callable[[Link[E]], T], handover: Handover[Any]
    ) -> T:
        """The result of `work` with the first of the links that does it.

        handover: of the result. Once it has begun, no other engine follows.

        Raises:
            AudioRejected, RequestRefused: another engine would fail too.
            NoneServed: each failed in its own way.
            Exception: what `work` raised after `handover` had begun, or the caller raised inside it.
        """
        failed: list[tuple[str, Exception]] = []
        for link in links:
            try:
                result = work(link)
            except (AudioRejected, RequestRefused):
                raise
            except Exception as error:
                if handover.has_begun or handover.is_outside:
                    raise
                link.note(error)  # told if no other engine serves
                failed.append((link.name, error))
            else:
                self._count_fallback(failed, link)
                return result
        raise NoneServed(failed)

    def _count_fallback(self, failed: list[tuple[str, Exception]], link: Link[E]) -> None:
        unfit = [name for name, error in failed if not isinstance(error, LanguageUnsupported)]
        if unfit:
            metrics.ENGINE_FALLBACKS.labels(self.direction, unfit[0], link.name).inc()

    def offered(self, languages_of: Callable[[E], Sequence[str]]) -> dict[str, Sequence[str]]:
        """Return the languages of each engine that can be used, by its name, in order."""
        return {link.name: languages_of(link.engine) for link in self.links if link.is_usable}

    def served(self, languages_of: Callable[[E], Sequence[str]]) -> dict[str, list[str]]:
        """Return the languages that each engine which can be used is the first to serve, by its name."""
        served: dict[str, list[str]] = {}
        for name, languages in self.offered(languages_of).items():
            before = {code for codes in served.values() for code in codes}
            served[name] = [code for code in languages if code not in before]
        return served

    def reports(self) -> tuple[EngineReport, ...]:
        """Return the report of each engine, in order."""
        return tuple(
            EngineReport(
                direction=self.direction,
                engine=link.name,
                model=link.engine.model,
                device=link.engine.device,
                state="stuck" if link.engine.is_stuck else link.state,
                last_error=link.last_error or link.engine.notice,
            )
            for link in self.links
        )
