"""HTTP of a worker, served by two processes.

The attendant (`voice.workers.attendant`) accepts connections and answers /health: in the worker a model may
hold Python's lock for many seconds. It hands every other connection to the worker, which answers when it can.
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

from voice.monitoring.process_http import (
    PATIENCE_S,
    Pages,
    Server,
    as_health,
    listening,
    metrics,
    ready,
)
from voice.monitoring.readiness import Check


class Door:
    """A worker's port. Made before the attendant is forked: each of the two processes uses one side of it."""

    def __init__(self, address: tuple[str, int]) -> None:
        """Open the port. Raises OSError when it is taken."""
        self._listener = listening(address)
        self.port: int = self._listener.getsockname()[1]
        self._handed_on, self._hands_on = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._hands_on.setblocking(False)

    def close(self) -> None:
        """Close both sides, where they are not served."""
        self.leave()
        self._handed_on.close()

    # the attendant's side

    @contextmanager
    def answering(self, health: Callable[[], str]) -> Iterator[None]:
        """Answer while the block runs. health: what is wrong with the worker; "" for nothing."""
        with closing(self._hands_on), _Attending(self._listener, health, self._hands_on).running():
            yield

    # the worker's side

    def leave(self) -> None:
        """Leave the port to the attendant, so that it closes when the attendant ends."""
        self._listener.close()
        self._hands_on.close()

    @contextmanager
    def serving(self, models: Mapping[str, Check]) -> Iterator[None]:
        """Serve what the attendant hands on while the block runs. models: checks besides the stores."""
        pages: Pages = {"/ready": lambda: ready(models), "/metrics": metrics}
        with _Working(self._handed_on, pages).running():
            yield


class _Attending(Server):
    """Answers /health; everything else is the worker's."""

    def __init__(self, listener: socket.socket, health: Callable[[], str], hands_on: socket.socket) -> None:
        super().__init__(listener, {"/health": lambda: as_health(health())})
        self._hands_on = hands_on

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer, or hand the connection on; a worker that has too many to answer drops it."""
        request.settimeout(PATIENCE_S)
        if request.recv(64, socket.MSG_PEEK).startswith((b"GET /health ", b"GET /health?")):
            super().finish_request(request, client_address)
        else:
            with suppress(OSError):
                socket.send_fds(self._hands_on, [b"."], [request.fileno()])

    def shutdown_request(self, request: Any) -> None:
        """Close our side only: the worker may have the connection now."""
        self.close_request(request)


class _Working(Server):
    """Serves connections that the attendant has accepted."""

    def get_request(self) -> tuple[socket.socket, Any]:
        """Return the next one."""
        _, descriptors, _, _ = socket.recv_fds(self.socket, 1, 1)
        if not descriptors:
            raise OSError("no descriptor is free for a connection")
        connection = socket.socket(fileno=descriptors[0])
        return connection, ("", 0)
