"""Daphne with flow control, for WebSockets and for HTTP responses that are sent in pieces.

Daphne itself buffers everything that an application sends, and queues everything that a client sends. So a
client that does not read, or that sends faster than it is served, would fill the memory. Here
`await send(...)` waits for the client once 64 KiB are buffered. A WebSocket whose messages wait is not read,
so TCP slows its client down.

At SIGTERM Daphne drops every connection. Here the process closes them one after the other (drain.py); a
second signal stops it at once.

Source: ASGI specification, "send … flow control"; Twisted's IPushProducer.
"""

import logging
import signal
import sys
from asyncio import Future, Queue, Task, ensure_future, get_running_loop
from collections.abc import Sequence
from contextvars import copy_context
from functools import partial
from typing import Any

from daphne import cli
from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.urls import URLPattern
from twisted.internet import defer, reactor
from twisted.internet.interfaces import IListeningPort

from interview_platform.server.access_log import RouteLog
from interview_platform.server.drain import drain, is_draining
from interview_platform.server.flow_control import Gate, Inbox
from interview_platform.server.protocol import PromptProtocol
from interview_platform.server.ready import tell_ready
from interview_platform.server.tuning import SWITCH_S, freeze_loaded_objects
from interview_platform.server.websocket_frames import (
    LONGEST_BYTES,
)

logger = logging.getLogger(__name__)

LARGE_MESSAGES = ("/ws/voice", "/ws/tts")
"""Addresses whose messages carry audio files in base64. Only admitted callers can send one."""
LARGE_MESSAGE_BYTES = 8 * 1024 * 1024


class PatientServer(Server):
    """Daphne's server with flow control and draining; see the module."""

    drain_s = 8.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ports: list[IListeningPort] = []
        self._leaving: Future[None] | None = None

    def run(self) -> None:
        """Serve until a signal arrives."""
        if self.signal_handlers:
            reactor.callWhenRunning(self._take_signals)
        reactor.callWhenRunning(freeze_loaded_objects)
        reactor.callWhenRunning(tell_ready)
        super().run()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Queue | None:
        """Start the application as Daphne does, with an `Inbox` and a `Gate` for a WebSocket."""
        if not isinstance(protocol, WebSocketProtocol):
            if is_draining():
                _make_last(protocol)
            return super().create_application(protocol, scope)
        if scope["path"].rstrip("/") in LARGE_MESSAGES:
            protocol.maxMessagePayloadSize = protocol.maxFramePayloadSize = LARGE_MESSAGE_BYTES
        protocol.failByDrop = False  # a client that breaks the protocol gets a close code
        limits = (LONGEST_BYTES, protocol.maxMessagePayloadSize, protocol.maxFramePayloadSize)
        protocol.longest_bytes = min(limit for limit in limits if limit)  # 0: no limit
        gate = protocol.gate = Gate()
        protocol.transport.unregisterProducer()  # of the HTTP channel before the upgrade
        protocol.transport.registerProducer(gate, True)
        inbox = Inbox(protocol.transport)
        scope.setdefault("asgi", {"version": "3.0"})
        scope["tasks"] = self.connections[protocol]["tasks"] = set()
        running = self.application(scope, inbox.get, partial(self.handle_reply, protocol))
        context = protocol.context = copy_context()
        task = get_running_loop().create_task(running, context=context)
        self.connections[protocol]["application_instance"] = task
        return inbox

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send, and wait until the client can take more. Messages after a close are dropped."""
        gate = getattr(protocol, "gate", None)
        if isinstance(protocol, WebRequest):
            await self._respond(protocol, message)
        elif gate is None:
            await super().handle_reply(protocol, message)
        elif protocol.state == protocol.STATE_OPEN:
            if message["type"] == "websocket.close":
                self.close(protocol, message.get("code") or 1000)
            else:
                protocol.handle_reply(message)
                await gate.passed()
        elif protocol.state == protocol.STATE_CONNECTING:
            await super().handle_reply(protocol, message)

    async def _respond(self, request: Any, message: dict[str, Any]) -> None:
        """Send a piece of a response, and wait until the client can take the next one."""
        has_more = message.get("more_body", False)
        if has_more and request.producer is None and request.channel is not None:
            request.registerProducer(Gate(), True)
        elif request.producer is not None and not has_more and request.channel is not None:
            request.unregisterProducer()
        gate = request.producer
        await super().handle_reply(request, message)
        if gate is not None:
            await gate.passed()

    # --- Draining ---------------------------------------------------------------------------------

    def listen_success(self, port: IListeningPort) -> None:
        """Remember a listening socket; called by Daphne."""
        super().listen_success(port)
        self._ports.append(port)

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: reactor.callFromThread(self._signalled))

    def _signalled(self) -> None:
        if self._leaving is None:
            self._leaving = ensure_future(drain(self))
            self._leaving.add_done_callback(self._left)
        elif not self._leaving.done():
            self._leaving.cancel()

    def _left(self, leaving: Future[None]) -> None:
        if not leaving.cancelled() and (error := leaving.exception()):
            logger.error("the drain failed: whoever is left is cut off", exc_info=error)
        self.stop()

    def stop_accepting(self) -> None:
        """Stop accepting connections. Requests under way are the last on their connections."""
        for port in self._ports:
            port.stopListening()  # type: ignore[misc]  # zope's interfaces have no self
        for protocol in self.connections:
            if isinstance(protocol, WebRequest):
                _make_last(protocol)

    def sockets(self) -> list[WebSocketProtocol]:
        """Return the WebSockets that are not closed."""
        return [
            protocol
            for protocol, known in self.connections.items()
            if isinstance(protocol, WebSocketProtocol) and "disconnected" not in known
        ]

    def tasks_of(self, protocol: WebSocketProtocol) -> set[Task[Any]]:
        """Return the tasks that should finish before the connection is closed."""
        return {task for task in self.connections.get(protocol, {}).get("tasks", ()) if not task.done()}

    def close(self, protocol: WebSocketProtocol, code: int) -> None:
        """Close an open WebSocket. Autobahn's own method refuses the codes 1008 to 1013."""
        if protocol.state == protocol.STATE_OPEN:
            protocol.sendCloseFrame(code=code)

    def running(self) -> list[Future[None]]:
        """Return the applications that are still running."""
        applications = [known.get("application_instance") for known in self.connections.values()]
        return [running for running in applications if running is not None and not running.done()]

    def is_sending(self) -> bool:
        """Whether unsent output remains."""
        return bool(reactor.getWriters())  # type: ignore[misc]

    def kill_all_applications(self) -> defer.Deferred[Any]:
        """Do as Daphne does, without its failure on connections whose application has ended."""
        for protocol in [p for p, known in self.connections.items() if "application_instance" not in known]:
            del self.connections[protocol]
        return super().kill_all_applications()


def install(*, drain_s: float = PatientServer.drain_s, sockets: Sequence[URLPattern] = ()) -> None:
    """Make Daphne's command use this server. Call it while the application is imported.

    sockets: the addresses of WebSockets, for the access log.
    """
    sys.setswitchinterval(SWITCH_S)
    PatientServer.drain_s = drain_s
    cli.CommandLineInterface.server_class = PatientServer
    cli.AccessLogGenerator = RouteLog
    RouteLog.sockets = sockets
    WebSocketFactory.protocol = PromptProtocol


def _make_last(request: WebRequest) -> None:
    """Close its connection after the response, so that the client's next request reaches another process."""
    if getattr(request, "channel", None) is not None:  # None after the request has ended
        request.channel.persistent = False
        request.setHeader(b"connection", b"close")
