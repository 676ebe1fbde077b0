"""What a candidate's page does differently under load, so that the server has less to do.

Captions and turns need short frames. Without captions fewer and longer frames cost every process less: at a
thousand candidates on two cores, frames of 1 s instead of 250 ms were acknowledged nine times as soon. One
step further the page tells by itself when a turn is over, and nothing on the server waits for the audio: then
frames are as long as the page may have on the way.

Relief begins at once, and ends some time after captions are back, at another time for each connection: pages
that all returned together would bring the load back in one moment.

Source: docs/adr/0013-order-of-retreat.md.
"""

import random
from collections.abc import Callable
from typing import Final

from voice.capacity import shedding
from voice.capacity.shedding import Step

SHORT_MS: Final = 250
LONG_MS: Final = 1000
LONGEST_MS: Final = 2000
SOONEST_END_S, LATEST_END_S = 10.0, 30.0
"""From the moment since which captions are back. Under steady load they are back for seconds at a time."""


class Relief:
    """What one connection's page is asked to do: `frame_ms`, and whether it `hears` by itself."""

    def __init__(self, *, spread: Callable[[], float] = random.random) -> None:
        """spread: a random number from 0 to 1."""
        self.hears = False
        self._is_without_captions = False
        self._spread = spread
        self._ends_at: float | None = None  # None while captions are off

    @property
    def frame_ms(self) -> int:
        if self.hears:
            return LONGEST_MS
        return LONG_MS if self._is_without_captions else SHORT_MS

    def follow(self, now_s: float) -> bool:
        """Follow the load; return whether `frame_ms` has changed. now_s: seconds of a monotonic clock."""
        before = self.frame_ms
        if shedding.is_off(Step.CAPTIONS):
            self._ends_at, self._is_without_captions = None, True
            self.hears = self.hears or shedding.is_off(Step.HEARING)
        elif self._is_over(now_s):
            self.hears = self._is_without_captions = False
        return self.frame_ms != before

    def _is_over(self, now_s: float) -> bool:
        if self._ends_at is None:
            self._ends_at = now_s + SOONEST_END_S + (LATEST_END_S - SOONEST_END_S) * self._spread()
        return now_s >= self._ends_at
