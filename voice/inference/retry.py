"""Retry transient failures with growing pauses.

    Retry.from_settings().call(lambda: engine.recognize(samples, language="en"))

Code that passes results on piece by piece (a stream of speech) may retry only until the first piece: a
listener would hear the beginning twice.
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
"""Added at random to each pause, so that processes that failed together do not retry together."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """The number of tries and their pauses: `first_s`, then twice as long each time, at most `longest_s`."""

    tries: int = 3
    first_s: float = 1.0
    longest_s: float = 10.0
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def from_settings(cls) -> "Retry":
        """Return the configured retry."""
        return cls(settings.RETRY_TRIES, settings.RETRY_FIRST_S, settings.RETRY_LONGEST_S)

    def call(
        self,
        work: Callable[[], T],
        *,
        may_retry: Callable[[], bool] = lambda: True,
        on_retry: Callable[[], None] = lambda: None,
    ) -> T:
        """Return the result of `work()`, retrying while it raises TransientFailure and tries are left.

        may_retry: called after each failure; False stops the retries.
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
"""No retry: a live caption would come too late."""
