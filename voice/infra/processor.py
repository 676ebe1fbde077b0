"""The processor: who gets it first, and how long a process waited for it.

stand_back(19)                        # this process gives way to all others
with behind(2.0):                     # work of this thread gives way to that of other threads, see `behind_s`
clock = UnstarvedClock()
clock.now_s()                         # stands still while the process waits for a processor
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

NS = 1_000_000_000

_behind_s: ContextVar[float] = ContextVar("behind_s", default=0.0)


def stand_back(nice: int) -> None:
    """Set the priority of this process: 19 gives way to all others, 0 is the usual one.

    An unprivileged process can only go down; where it may not go up, its priority stays.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    set_session_nice(nice)


@contextlib.contextmanager
def behind(seconds: float) -> Iterator[None]:
    """Let what this thread asks of a shared engine take its turn as if it had come so much later."""
    token = _behind_s.set(seconds)
    try:
        yield
    finally:
        _behind_s.reset(token)


def behind_s() -> float:
    """Return how far the work of this thread stands back, in seconds; 0 outside of `behind`."""
    return _behind_s.get()


def set_session_nice(nice: int) -> None:
    """Set the `nice` of this process's session, where that is allowed.

    Linux shares the CPU between sessions first, and then between the processes in them. A program that is a
    session of its own needs both.  Source: sched(7), "The autogroup feature".
    """
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as group:  # noqa: PTH123
        group.write(str(nice))


def waits_s(pid: int) -> dict[str, float]:
    """For how many seconds each thread of a process was ready to run and had no processor, by thread id.

    Empty where the system does not tell.  Source: Linux, Documentation/scheduler/sched-stats.rst.
    """
    waits = {}
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # it has ended
            waits[thread.name] = int((thread / "schedstat").read_text().split()[1]) / NS
    return waits


def is_stopped(pid: int) -> bool:
    """Whether the process was stopped (SIGSTOP, or a debugger); False where the system does not tell.

    Source: proc(5), the state in /proc/PID/stat.
    """
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("T", "t")
    return False


class UnstarvedClock:
    """Seconds that a process could use: they do not pass while it waits for a processor.

    A machine that does other things slows a call down without making it hang. Of the threads, the one that
    waited longest counts: the others may wait for it. Thread-safe.
    """

    def __init__(
        self,
        pid: int | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        read_waits_s: Callable[[int], dict[str, float]] = waits_s,
    ) -> None:
        self._pid = os.getpid() if pid is None else pid
        self._clock, self._read_waits_s = clock, read_waits_s
        self._lock = threading.Lock()
        self._now_s = self._looked_at = clock()
        self._waits_s = read_waits_s(self._pid)

    def now_s(self) -> float:
        """Return the time of this clock. Each look costs a file of /proc for each thread."""
        with self._lock:
            at, waits = self._clock(), self._read_waits_s(self._pid)
            waited_s = max(
                (total - self._waits_s.get(name, 0.0) for name, total in waits.items()), default=0.0
            )
            self._now_s += max(0.0, at - self._looked_at - waited_s)
            self._looked_at, self._waits_s = at, waits
            return self._now_s
