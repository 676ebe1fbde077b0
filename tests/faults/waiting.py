"""Waiting for what must come true: no test sleeps for a fixed time."""

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
    """Return, once `is_true()` is, how many seconds that took. It is asked every `every_s`.

    Raises:
        TimeoutError: it does not become true in time; the message names `what`, or what it returns.
    """
    began = time.monotonic()
    while not is_true():
        if time.monotonic() - began > within_s:
            missing = what if isinstance(what, str) else what()
            raise TimeoutError(f"waited {within_s:g} s in vain for {missing}")
        time.sleep(every_s)
    return time.monotonic() - began
