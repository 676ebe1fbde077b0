"""Set-up of child processes: they end with their parent."""

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
