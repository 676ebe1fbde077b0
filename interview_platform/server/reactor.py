"""Twisted's reactor on uvloop: a connection that is gone ends, and is no error.

When a connection breaks, uvloop closes its handle for good, after one last call of the reader. Twisted does
not know such handles. While received bytes are left, it goes on with the connection: nothing more is read
from it, and every write and every close raises a RuntimeError ("UVPoll closed") in the application that
sends. A web process that was frozen for 25 s finds many such connections. Here a broken connection is read to
its end at once, and a handle that is closed means that the connection is lost.

All reads, writes and closes of all sockets of a web process go through here.
"""

import socket
from typing import Any

from twisted.internet import asyncioreactor, error

READS_AT_MOST = 200
"""Of 64 KiB each: more than the kernel keeps of a connection."""


class Reactor(asyncioreactor.AsyncioSelectorReactor):
    """See the module."""

    def addReader(self, reader: Any) -> None:  # noqa: N802  Twisted's name
        """Read from the connection from now on; one that is gone is lost."""
        try:
            super().addReader(reader)
        except RuntimeError:
            self._lose_soon(reader)

    def addWriter(self, writer: Any) -> None:  # noqa: N802
        """Write to the connection when it can take something; one that is gone is lost."""
        try:
            super().addWriter(writer)
        except RuntimeError:
            self._lose_soon(writer)

    def removeReader(self, reader: Any) -> None:  # noqa: N802
        """Read no more from the connection."""
        try:
            super().removeReader(reader)
        except RuntimeError:
            self._lose_soon(reader)

    def removeWriter(self, writer: Any) -> None:  # noqa: N802
        """Write no more to the connection."""
        try:
            super().removeWriter(writer)
        except RuntimeError:
            self._lose_soon(writer)

    def _readOrWrite(self, selectable: Any, read: bool) -> None:  # noqa: N802
        """Read or write once; what a broken connection has received is read to its end."""
        is_broken = read and _is_broken(selectable)
        super()._readOrWrite(selectable, read)
        if is_broken:
            self._read_rest(selectable)

    def _read_rest(self, selectable: Any) -> None:
        for _ in range(READS_AT_MOST):
            if selectable not in self._readers:  # it has ended, or the application reads later
                return
            super()._readOrWrite(selectable, True)
        self._lose(selectable)

    def _lose_soon(self, selectable: Any) -> None:
        """Lose the connection, in a turn of the event loop of its own."""
        self.callLater(0, self._lose, selectable)

    def _lose(self, selectable: Any) -> None:
        if selectable.fileno() != -1:
            self._disconnectSelectable(selectable, error.ConnectionLost(), isRead=False)


def _is_broken(selectable: Any) -> bool:
    """Whether the kernel has given a connection up, so that uvloop will call no more."""
    connection = getattr(selectable, "socket", None)
    if not isinstance(connection, socket.socket) or connection.fileno() == -1:
        return False
    return bool(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def install() -> None:
    """Make Daphne use this reactor. Call it before Daphne is imported, which installs one."""
    asyncioreactor.AsyncioSelectorReactor = Reactor  # type: ignore[misc]
