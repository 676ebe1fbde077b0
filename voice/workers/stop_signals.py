"""SIGTERM and SIGINT as events that a program waits for."""

import contextlib
import select
import signal
import socket
from typing import Self

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """SIGTERM and SIGINT as events to wait for, so that no work is done inside a signal handler.

    The interpreter's own handler writes the number into a socket, whichever thread received the signal, and
    also while a thread in C code holds Python's global lock. A process that was forked after this object was
    made sees it as well (`is_asked`).
    """

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._has_seen = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, lambda *_: None) for number in STOP_SIGNALS}
        self._fd_before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *exc_info: object) -> None:
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def fileno(self) -> int:
        """Return the descriptor that is readable when a signal has come, or `wake`."""
        return self._read.fileno()

    def wait(self, timeout_s: float | None = None) -> int:
        """Return the number of a signal, or 0 after `wake` or the timeout. It stays there until `forget`."""
        if timeout_s is not None:
            timeout_s = max(0.0, timeout_s)
        readable, _, _ = select.select([self], [], [], timeout_s)
        self._has_seen = bool(readable)
        return self._read.recv(1, socket.MSG_PEEK)[0] if readable else 0

    def forget(self) -> None:
        """Forget what the last `wait` has seen."""
        if self._has_seen:
            self._read.recv(1)
        self._has_seen = False

    def is_asked(self) -> bool:
        """Whether a signal has come that was not forgotten yet; in any of the processes that share this."""
        with contextlib.suppress(BlockingIOError):
            return any(number in STOP_SIGNALS for number in self._read.recv(64, socket.MSG_PEEK))
        return False

    def wake(self) -> None:
        """End a `wait` from any thread."""
        self._write.send(b"\0")
