"""Set-up of child processes: they end with their parent, and may run at lower priority."""

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # Source: prctl(2)
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def end_with_parent(signal_number: int) -> Callable[[], None]:
    """Return a `preexec_fn` that makes the kernel send `signal_number` to the child when this thread dies.

    Linux only; on other systems a child survives a parent that was killed with SIGKILL.
    """
    parent = os.getpid()

    def before_exec() -> None:
        if _prctl is not None:
            _prctl(PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # the parent died before the call above
            os._exit(1)

    return before_exec


def standing_back(nice: int, then: Callable[[], None]) -> Callable[[], None]:
    """Return a `preexec_fn` that lowers the priority by `nice` and then calls `then`."""

    def before_exec() -> None:
        if nice:
            os.nice(nice)
            set_session_nice(nice)
        then()

    return before_exec


def set_session_nice(nice: int) -> None:
    """Set the `nice` of this process's session, where that is allowed.

    Linux shares the CPU between sessions first, and then between the processes in them. Each program is a
    session of its own, so the `nice` of a process has no effect. Source: sched(7), "The autogroup feature".
    """
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as group:  # noqa: PTH123
        group.write(str(nice))
