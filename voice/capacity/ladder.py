"""Decide which steps of load shedding a process takes, and when it goes back. Pure: numbers and a clock in.

    ladder = Ladder()
    ladder.feel(1.3, now_s)     # -> 0 … 4, the number of steps taken; called about once a second

Pressure of 1 or more that lasts takes one step further, then the next; a calm time takes one step back. In
between nothing changes. Each process waits a different time before it steps back, so that processes under the
same load do not all return at once. A process that had to step forward again soon after a step back waits
twice as long the next time.

Source: docs/adr/0013-order-of-retreat.md; waits that double and spread as in M. Brooker, "Exponential Backoff
And Jitter".
"""

import random
from collections.abc import Callable
from enum import IntEnum

TOO_MUCH, CALM = 1.0, 0.5
FURTHER_AFTER_S = 2.0
BACK_AFTER_S = 15.0
"""Shortest calm before a step back; each process waits up to `SPREAD` times as long."""
SPREAD = 2.0
LONGEST_DOUBLING = 8
"""The longest wait, as a multiple, of a process whose steps back were all too early."""


class Step(IntEnum):
    """The steps to switch off, in this order; a recording and a running interview never are."""

    SEMANTIC = 1  # silence alone decides the end of a turn
    CAPTIONS = 2
    TRANSCRIPTS = 3  # transcribed later
    NEWCOMERS = 4  # stay in the waiting room


class Ladder:
    """How far one process has retreated: `level` steps, from 0 (nothing is off) to 4."""

    def __init__(self, *, spread: Callable[[], float] = random.random) -> None:
        """spread: a random number from 0 to 1, different in each process."""
        self.level = 0
        self._spread = spread
        self._pressed_since: float | None = None
        self._calm_since: float | None = None
        self._changed_at = 0.0
        self._came_back = False  # at the last change
        self._doubling = 1
        self._back_after_s = self._next_wait_s()

    def feel(self, pressure: float, now_s: float) -> int:
        """Record the pressure at `now_s`, seconds of a monotonic clock; return the new level."""
        self._pressed_since = _since(self._pressed_since, now_s, pressure >= TOO_MUCH)
        self._calm_since = _since(self._calm_since, now_s, pressure < CALM)
        if self._has_lasted(self._pressed_since, FURTHER_AFTER_S, now_s) and self.level < max(Step):
            self._go_further(now_s)
        elif self._has_lasted(self._calm_since, self._back_after_s, now_s) and self.level:
            self._come_back(now_s)
        return self.level

    def _has_lasted(self, since_s: float | None, seconds: float, now_s: float) -> bool:
        return since_s is not None and now_s - max(since_s, self._changed_at) >= seconds

    def _go_further(self, now_s: float) -> None:
        if self._came_back:
            was_too_early = now_s - self._changed_at < self._back_after_s
            self._doubling = min(2 * self._doubling, LONGEST_DOUBLING) if was_too_early else 1
        self._change(1, now_s)

    def _come_back(self, now_s: float) -> None:
        if self._came_back:  # the step before this one was not too early
            self._doubling = 1
        self._change(-1, now_s)

    def _change(self, steps: int, now_s: float) -> None:
        self.level += steps
        self._changed_at = now_s
        self._came_back = steps < 0
        self._back_after_s = self._next_wait_s()

    def _next_wait_s(self) -> float:
        return BACK_AFTER_S * self._doubling * (1 + (SPREAD - 1) * self._spread())


def _since(since_s: float | None, now_s: float, is_so: bool) -> float | None:
    """Return when the condition began to hold; None while it does not."""
    if not is_so:
        return None
    return now_s if since_s is None else since_s
