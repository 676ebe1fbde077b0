"""Waiting for conditions, so that no test sleeps for a fixed time."""

import time
from collections.abc import Callable

LOOK_EVERY_S = 0.05


def wait_for(
    is_true: Callable[[], object],
    what: str | Callable[[], str],
    *,
    within_s: float = 120.0,
    every_s: float = LOOK_EVERY_S,
) -> float:
    """Check `is_true()` every `every_s` until it holds. Return the seconds that took.

    Raises:
        TimeoutError: it does not hold in time; the message has `what`, or its result.
    """
    began = time.monotonic()
    while not is_true():
        if time.monotonic() - began > within_s:
            missing = what if isinstance(what, str) else what()
            raise TimeoutError(f"waited {within_s:g} s in vain for {missing}")
        time.sleep(every_s)
    return time.monotonic() - began
