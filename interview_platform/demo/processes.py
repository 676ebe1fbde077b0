"""How a child process begins: it ends with its parent, and it may be told to stand back for others."""

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # Source: prctl(2)
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def end_with_parent(signal_number: int) -> Callable[[], None]:
    """Return a `preexec_fn` that makes the kernel send `signal_number` to the child when this thread dies.

    Linux only; elsewhere a child outlives a parent that was killed with SIGKILL.
    """
    parent = os.getpid()

    def before_exec() -> None:
        if _prctl is not None:
            _prctl(PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # it died before the request above
            os._exit(1)

    return before_exec


def standing_back(nice: int, then: Callable[[], None]) -> Callable[[], None]:
    """Return a `preexec_fn` that lets programs with a lower `nice` go first, and then calls `then`."""

    def before_exec() -> None:
        if nice:
            os.nice(nice)
            set_session_nice(nice)
        then()

    return before_exec


def set_session_nice(nice: int) -> None:
    """Let sessions with a lower `nice` go before this process's, where that is allowed.

    Linux shares the processor among sessions before it looks at the processes in them, and each program is a
    session of its own: without this `nice` means nothing.  Source: sched(7), "The autogroup feature".
    """
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as group:  # noqa: PTH123
        group.write(str(nice))
