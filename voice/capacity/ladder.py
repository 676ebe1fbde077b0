"""Decide which steps of load shedding a process takes, and when it goes back. Pure: numbers and a clock in.

    ladder = Ladder()
    ladder.feel(1.3, now_s)     # -> 0 … 6, the number of steps taken; called about once a second

Pressure of 1 or more that lasts takes one step further, then the next. A calm time takes one step back after
the other: captions are back within `CAPTIONS_BACK_WITHIN_S`, whatever level was reached. In between nothing
changes. Each process draws how long it waits, so that processes under the same load do not all return at
once. A process that had to step forward again soon after a step back draws one of the longer waits.

Source: docs/adr/0013-order-of-retreat.md.
"""

import random
from collections.abc import Callable
from enum import IntEnum

TOO_MUCH, CALM = 1.0, 0.5
FURTHER_AFTER_S = 2.0
CAPTIONS_BACK_WITHIN_S = 15.0
"""No speaker is without captions for longer on a machine that is calm again."""
SHORTEST_BACK_S, LONGEST_BACK_S = 5.0, 13.0
"""From the beginning of calm until captions are back; a look may be late by a second."""


class Step(IntEnum):
    """The steps to switch off, in this order; a recording and a running interview never are."""

    SPECULATION = 1  # nothing is recognised before it is decided that a turn is over
    SEMANTIC = 2  # silence alone decides the end of a turn
    CAPTIONS = 3
    HEARING = 4  # the page tells silence by itself
    TRANSCRIPTS = 5  # transcribed later
    NEWCOMERS = 6  # stay in the waiting room


class Ladder:
    """How far one process has retreated: `level` steps, from 0 (nothing is off) to 6."""

    def __init__(self, *, spread: Callable[[], float] = random.random) -> None:
        """spread: a random number from 0 to 1, different in each process."""
        self.level = 0
        self._spread = spread
        self._pressed_since: float | None = None
        self._calm_since: float | None = None
        self._changed_at = 0.0
        self._came_back = False  # at the last change
        self._was_too_early = False
        self._back_s = self._drawn_s()
        self._calm_from = 0  # the level at which calm began

    def feel(self, pressure: float, now_s: float) -> int:
        """Record the pressure at `now_s`, seconds of a monotonic clock; return the new level."""
        self._pressed_since = _since(self._pressed_since, now_s, pressure >= TOO_MUCH)
        if self._calm_since is None:
            self._calm_from = self.level
        self._calm_since = _since(self._calm_since, now_s, pressure < CALM)
        if self.level < max(Step) and self._is_pressed(now_s):
            self._go_further(now_s)
        elif self.level and self._is_calm_for_a_step(now_s):
            self._change(-1, now_s)
        return self.level

    def _is_pressed(self, now_s: float) -> bool:
        since_s = self._pressed_since
        return since_s is not None and now_s - max(since_s, self._changed_at) >= FURTHER_AFTER_S

    def _is_calm_for_a_step(self, now_s: float) -> bool:
        """Whether the next step back is due: all up to captions are spread evenly over the wait."""
        step_s = self._back_s / max(1, self._calm_from - Step.CAPTIONS + 1)
        due_s = step_s * (self._calm_from - self.level + 1)
        return self._calm_since is not None and now_s - self._calm_since >= due_s

    def _go_further(self, now_s: float) -> None:
        if self._came_back:
            self._was_too_early = now_s - self._changed_at < LONGEST_BACK_S
        self._change(1, now_s)
        self._back_s = self._drawn_s()

    def _change(self, steps: int, now_s: float) -> None:
        self.level += steps
        self._changed_at = now_s
        self._came_back = steps < 0

    def _drawn_s(self) -> float:
        shortest = (SHORTEST_BACK_S + LONGEST_BACK_S) / 2 if self._was_too_early else SHORTEST_BACK_S
        return shortest + (LONGEST_BACK_S - shortest) * self._spread()


def _since(since_s: float | None, now_s: float, is_so: bool) -> float | None:
    """Return when the condition began to hold; None while it does not."""
    if not is_so:
        return None
    return now_s if since_s is None else since_s
