"""SIGTERM and SIGINT as events that a program waits for."""

import select
import signal
import socket
from typing import Self

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """SIGTERM and SIGINT as events to wait for, so that no work is done inside a signal handler.

    The interpreter's own handler writes the number into a socket, whichever thread received the signal.
    """

    def __enter__(self) -> Self:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._before = {number: signal.signal(number, lambda *_: None) for number in STOP_SIGNALS}
        self._fd_before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *exc_info: object) -> None:
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, timeout_s: float | None = None) -> int:
        """Return the number of a signal, or 0 after `wake` or the timeout."""
        if timeout_s is not None:
            timeout_s = max(0.0, timeout_s)
        readable, _, _ = select.select([self._read], [], [], timeout_s)
        return self._read.recv(1)[0] if readable else 0

    def wake(self) -> None:
        """End a `wait` from any thread."""
        self._write.send(b"\0")
