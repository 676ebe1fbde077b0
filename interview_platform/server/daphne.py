"""Daphne, whose WebSockets wait for their clients.

Daphne by itself hands everything an application sends to the connection at once, and everything a client
sends to the application's queue: a client that does not read, or that sends faster than it is served, would
fill the memory. Here `await send(...)` waits until the client has read, once 64 KiB are buffered, and a
connection whose messages wait is not read from, so that TCP slows its client down.

At SIGTERM Daphne drops every connection. Here the process parts with them one after the other (drain.py); a
second signal ends it at once.

Source: ASGI specification, "send … flow control"; Twisted's IPushProducer.
"""

import logging
import signal
import sys
from asyncio import Future, Queue, Task, ensure_future
from functools import partial
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import defer, reactor
from twisted.internet.interfaces import IListeningPort

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
"""Addresses whose messages carry audio files in base64. Nobody can send one before he was let in."""
LARGE_MESSAGE_BYTES = 8 * 1024 * 1024


class PatientServer(Server):
    """See the module."""

    drain_s = 8.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ports: list[IListeningPort] = []
        self._leaving: Future[None] | None = None

    def run(self) -> None:
        """Serve until a signal."""
        if self.signal_handlers:
            reactor.callWhenRunning(self._take_signals)
        reactor.callWhenRunning(freeze_loaded_objects)
        reactor.callWhenRunning(tell_ready)
        super().run()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Queue | None:
        """As Daphne does, with an `Inbox` and a `Gate` where the protocol is a WebSocket."""
        if not isinstance(protocol, WebSocketProtocol):
            if is_draining():
                _make_last(protocol)
            return super().create_application(protocol, scope)
        if scope["path"].rstrip("/") in LARGE_MESSAGES:
            protocol.maxMessagePayloadSize = protocol.maxFramePayloadSize = LARGE_MESSAGE_BYTES
        protocol.failByDrop = False  # a client that breaks the protocol is told with a close code
        limits = (LONGEST_BYTES, protocol.maxMessagePayloadSize, protocol.maxFramePayloadSize)
        protocol.longest_bytes = min(limit for limit in limits if limit)  # 0 is none
        gate = protocol.gate = Gate()
        protocol.transport.unregisterProducer()  # the HTTP channel that the connection was
        protocol.transport.registerProducer(gate, True)
        inbox = Inbox(protocol.transport)
        scope.setdefault("asgi", {"version": "3.0"})
        scope["tasks"] = self.connections[protocol]["tasks"] = set()
        running = self.application(scope, inbox.get, partial(self.handle_reply, protocol))
        self.connections[protocol]["application_instance"] = ensure_future(running)
        return inbox

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send, and wait until the client can take more. What comes after a close goes nowhere."""
        gate = getattr(protocol, "gate", None)
        if gate is None:
            await super().handle_reply(protocol, message)
        elif protocol.state == protocol.STATE_OPEN:
            if message["type"] == "websocket.close":
                self.close(protocol, message.get("code") or 1000)
            else:
                protocol.handle_reply(message)
                await gate.passed()
        elif protocol.state == protocol.STATE_CONNECTING:
            await super().handle_reply(protocol, message)

    # --- Leaving ----------------------------------------------------------------------------------

    def listen_success(self, port: IListeningPort) -> None:
        """Called by Daphne with each socket that it accepts from."""
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
        """Accept no connection; the requests under way are the last on theirs."""
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
        """Return what its application should finish before the connection is closed."""
        return {task for task in self.connections.get(protocol, {}).get("tasks", ()) if not task.done()}

    def close(self, protocol: WebSocketProtocol, code: int) -> None:
        """Close a WebSocket that is open. What autobahn offers for it refuses 1008 to 1013."""
        if protocol.state == protocol.STATE_OPEN:
            protocol.sendCloseFrame(code=code)

    def running(self) -> list[Future[None]]:
        """Return the applications that have not ended."""
        applications = [known.get("application_instance") for known in self.connections.values()]
        return [running for running in applications if running is not None and not running.done()]

    def is_sending(self) -> bool:
        """Whether anything waits to be written."""
        return bool(reactor.getWriters())  # type: ignore[misc]

    def kill_all_applications(self) -> defer.Deferred[Any]:
        """As Daphne does, which stumbles over connections whose application has ended."""
        for protocol in [p for p, known in self.connections.items() if "application_instance" not in known]:
            del self.connections[protocol]
        return super().kill_all_applications()


def install(*, drain_s: float = PatientServer.drain_s) -> None:
    """Let Daphne's command use it. Called when the application is imported, before the server is made."""
    sys.setswitchinterval(SWITCH_S)
    PatientServer.drain_s = drain_s
    CommandLineInterface.server_class = PatientServer
    WebSocketFactory.protocol = PromptProtocol


def _make_last(request: WebRequest) -> None:
    """Let its connection end with the answer, so that the client's next request goes to another process."""
    if getattr(request, "channel", None) is not None:  # one that has ended may still be known, and has none
        request.channel.persistent = False
        request.setHeader(b"connection", b"close")
