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
from threading import Event
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interview_platform.server.daphne import PatientServer

logger = logging.getLogger(__name__)

CLOSE_RESTART = 1012  # Source: IANA, WebSocket Close Code Number Registry, "Service Restart"
LAST_S = 4.0
"""Extra time after `DRAIN_S` for close handshakes, ending applications and unsent responses."""
LOOK_EVERY_S = 0.05
NEWCOMERS_S = 0.25
"""Time for a client that was accepted just before the socket was closed to send its request."""

_has_begun = Event()


def is_draining() -> bool:
    """Whether this process is draining."""
    return _has_begun.is_set()


async def drain(server: "PatientServer") -> None:
    """Close all connections. Return when none is left, after `server.drain_s` and `LAST_S` at the latest."""
    _has_begun.set()
    server.stop_accepting()
    try:
        async with asyncio.timeout(server.drain_s + LAST_S):
            await _close_evenly(server)
            await _until_nobody_is_left(server)
    except TimeoutError:
        logger.warning("end of the drain: %d connections were cut off", len(server.running()))


async def _close_evenly(server: "PatientServer") -> None:
    sockets = server.sockets()
    ends_at = asyncio.get_running_loop().time() + server.drain_s
    closings = (
        _close_after(server.drain_s * n / len(sockets), server, socket, ends_at)
        for n, socket in enumerate(sockets)
    )
    await asyncio.gather(asyncio.sleep(NEWCOMERS_S), *closings)


async def _close_after(wait_s: float, server: "PatientServer", socket: Any, ends_at: float) -> None:
    await asyncio.sleep(wait_s)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(ends_at):
            while tasks := server.tasks_of(socket):
                await asyncio.wait(tasks)
    server.close(socket, CLOSE_RESTART)


async def _until_nobody_is_left(server: "PatientServer") -> None:
    while server.running() or server.is_sending():
        for latecomer in server.sockets():
            server.close(latecomer, CLOSE_RESTART)
        await asyncio.sleep(LOOK_EVERY_S)
