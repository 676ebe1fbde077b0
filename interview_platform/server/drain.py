"""Draining of a web process at SIGTERM: no new connections, and the open ones close one after the other.

The listening socket is closed, so the kernel gives new connections to the processes that share it. WebSockets
are closed with 1012, evenly over `DRAIN_S`, and the process ends as soon as none is left. Messages that
arrive before the close are handled normally; the client sends unacknowledged ones again to the next process.
A connection with work in `scope["tasks"]`, for example speech being synthesised, is closed after that work,
or at the end of `DRAIN_S`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Sequence
from threading import Event
from typing import Any, Protocol, TypeVar

logger = logging.getLogger(__name__)

CLOSE_RESTART = 1012  # Source: IANA, WebSocket Close Code Number Registry, "Service Restart"
LAST_S = 4.0
"""Extra time after `DRAIN_S` for close handshakes, ending applications and unsent responses."""
LOOK_EVERY_S = 0.05
NEWCOMERS_S = 0.25
"""Time for a client that was accepted just before the socket was closed to send its request."""

_has_begun = Event()

WebSocket = TypeVar("WebSocket")


class DrainedServer(Protocol[WebSocket]):
    """The part of the stopping server that a drain uses."""

    drain_s: float
    """Seconds over which its WebSockets are closed."""

    def stop_accepting(self) -> None:
        """Accept no connection; the requests under way are the last on theirs."""

    def sockets(self) -> Sequence[WebSocket]:
        """Return the WebSockets that are not closed."""

    def tasks_of(self, protocol: WebSocket) -> Collection[asyncio.Task[Any]]:
        """Return what the application of a WebSocket should finish before it is closed."""

    def close(self, protocol: WebSocket, code: int) -> None:
        """Close a WebSocket that is open."""

    def running(self) -> Sequence[asyncio.Future[None]]:
        """Return the applications that have not ended."""

    def is_sending(self) -> bool:
        """Whether anything waits to be written."""


def is_draining() -> bool:
    """Whether this process is draining."""
    return _has_begun.is_set()


async def drain(server: DrainedServer[Any]) -> None:
    """Part with everybody; return when nobody is left, at the latest after `server.drain_s` and `LAST_S`."""
    _has_begun.set()
    server.stop_accepting()
    try:
        async with asyncio.timeout(server.drain_s + LAST_S):
            await _close_evenly(server)
            await _until_nobody_is_left(server)
    except TimeoutError:
        logger.warning("end of the drain: %d connections were cut off", len(server.running()))


async def _close_evenly(server: DrainedServer[Any]) -> None:
    sockets = server.sockets()
    ends_at = asyncio.get_running_loop().time() + server.drain_s
    closings = (
        _close_after(server.drain_s * n / len(sockets), server, socket, ends_at)
        for n, socket in enumerate(sockets)
    )
    await asyncio.gather(asyncio.sleep(NEWCOMERS_S), *closings)


async def _close_after(
    wait_s: float, server: DrainedServer[WebSocket], socket: WebSocket, ends_at: float
) -> None:
    await asyncio.sleep(wait_s)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(ends_at):
            while tasks := server.tasks_of(socket):
                await asyncio.wait(tasks)
    server.close(socket, CLOSE_RESTART)


async def _until_nobody_is_left(server: DrainedServer[Any]) -> None:
    while server.running() or server.is_sending():
        for latecomer in server.sockets():
            server.close(latecomer, CLOSE_RESTART)
        await asyncio.sleep(LOOK_EVERY_S)
