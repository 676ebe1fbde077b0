"""Transient failures are tried again, with pauses that grow.

    Retry.from_settings().call(lambda: engine.recognize(samples, language="en"))

Whoever hands out results piece by piece (a stream of speech) may wrap only what comes before the first piece:
a listener would hear the beginning twice.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity
from django.conf import settings

from voice.errors import TransientFailure
from voice.infra.backoff import pause_s

JITTER_S = 1.0
"""Added at random to each pause, so that processes which failed together do not come back together."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, and after which pauses: `first_s`, then twice as long each time, `longest_s` at most."""

    tries: int = 3
    first_s: float = 1.0
    longest_s: float = 10.0
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def from_settings(cls) -> "Retry":
        """As the operator wants it."""
        return cls(settings.RETRY_TRIES, settings.RETRY_FIRST_S, settings.RETRY_LONGEST_S)

    def call(
        self,
        work: Callable[[], T],
        *,
        may_retry: Callable[[], bool] = lambda: True,
        on_retry: Callable[[], None] = lambda: None,
    ) -> T:
        """The result of `work()`, called again while it raises TransientFailure and tries are left.

        may_retry: asked after each failure; False ends the trying.
        on_retry: called before each further try.

        Raises:
            TransientFailure: the last try's.
            Exception: whatever else `work` raises, at once.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, TransientFailure) and may_retry()
            ),
            stop=tenacity.stop_after_attempt(self.tries),
            wait=lambda state: self._pause_s(state.attempt_number),
            sleep=self.sleep,
            before_sleep=lambda _: on_retry(),
            reraise=True,
        )
        return retrying(work)

    def _pause_s(self, failures: int) -> float:
        pause = pause_s(failures, first_s=self.first_s, longest_s=self.longest_s)
        return min(pause + random.uniform(0, JITTER_S), self.longest_s)


ONCE = Retry(tries=1)
"""Nothing is tried again: a live caption comes too late by then."""
