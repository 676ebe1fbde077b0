"""Daphne, whose WebSockets wait for their clients.

Daphne by itself hands everything an application sends to the connection at once, and everything a client
sends to the application's queue: a client that does not read, or that sends faster than it is served, would
fill the memory. Here `await send(...)` waits until the client has read, once 64 KiB are buffered, and a
connection whose messages wait is not read from, so that TCP slows its client down.

At SIGTERM Daphne drops every connection. Here the process parts with them one after the other (drain.py); a
second signal ends it at once.

Source: ASGI specification, "send … flow control"; Twisted's IPushProducer.
"""

import gc
import logging
import signal
import sys
from asyncio import Event, Future, Queue, Task, ensure_future
from functools import partial
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import defer, reactor, tcp
from twisted.internet.interfaces import IListeningPort, IPushProducer, ITransport
from zope.interface import implementer

from interview_platform.demo.supervisor import tell_ready
from interview_platform.server.drain import drain, is_draining
from interview_platform.server.websocket_frames import (
    LONGEST_BYTES,
    Incomplete,
    Message,
    frame,
    whole_message,
)

logger = logging.getLogger(__name__)

MAX_WAITING_MESSAGES = 32
MAX_WAITING_BYTES = 1024 * 1024
"""Messages of a client that wait for the application; with more than either, reading pauses."""
LARGE_MESSAGES = ("/ws/voice", "/ws/tts")
"""Addresses whose messages carry audio files in base64. Nobody can send one before he was let in."""
LARGE_MESSAGE_BYTES = 8 * 1024 * 1024
COLLECT_AFTER = (10_000, 2, 2)
"""New objects that live until Python looks for cycles among them; so many times until it looks at older ones.

Connections and requests that have ended leave cycles, 300 objects each. With Python's own second and third
number they lay there until a million had gathered. The oldest are looked at when they are a quarter more.
"""
SWITCH_S = 0.0005
"""After so long a thread that works hands Python's lock to one that waits. The event loop asks for it after
each system call, several a frame: behind five busy threads it was 18 ms late (p95) with Python's own 5 ms,
now 5.
"""


@implementer(IPushProducer)
class Gate:
    """Open while the client reads. Twisted closes it when 64 KiB wait to be written."""

    def __init__(self) -> None:
        self._is_open = Event()
        self._is_open.set()

    async def passed(self) -> None:
        """Wait until it is open."""
        await self._is_open.wait()

    def pauseProducing(self) -> None:  # noqa: N802  Twisted's name
        """Too much waits to be written."""
        self._is_open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        """All was written."""
        self._is_open.set()

    stopProducing = resumeProducing  # noqa: N815  the connection is lost: nobody need wait


class Inbox(Queue[dict[str, Any]]):
    """Messages for the application; the client is read from only while few wait."""

    def __init__(self, transport: ITransport) -> None:
        super().__init__()
        self._transport: Any = transport
        self._waiting_bytes = 0
        self._is_paused = False

    def put_nowait(self, item: dict[str, Any]) -> None:
        """Called by Daphne with each message."""
        super().put_nowait(item)
        self._waiting_bytes += _size(item)
        if not self._is_paused and self._is_full():
            self._is_paused = True
            self._transport.pauseProducing()

    def get_nowait(self) -> dict[str, Any]:
        """Called by `get` too."""
        item = super().get_nowait()
        self._waiting_bytes -= _size(item)
        if self._is_paused and not self._is_full():
            self._is_paused = False
            self._transport.resumeProducing()
        return item

    def _is_full(self) -> bool:
        return self.qsize() >= MAX_WAITING_MESSAGES or self._waiting_bytes >= MAX_WAITING_BYTES


class PromptProtocol(WebSocketProtocol):
    """A WebSocket that takes and sends plain messages in one step (`frames`), and hands the kernel at once
    what it takes.

    Twisted first asks the event loop to say when it may write: two more system calls and a turn of the loop
    for each message, a sixth of what an acknowledged frame costs.
    """

    gate: Gate | None = None
    longest_bytes = LONGEST_BYTES
    """Of a message that is taken in one step."""
    _begun = b""  # a plain message that has not come to its end

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Called by Twisted; autobahn's own makes a coloured line for a log that nobody keeps."""
        if self._begun:
            data, self._begun = self._begun + data, b""
        try:
            while data and (message := self._next_plain(data)):
                self.onMessage(message.payload, message.is_binary)
                data = data[message.end :]
        except Incomplete:
            self._begun = data
            return
        if data:
            self._dataReceived(data)

    def _next_plain(self, data: bytes) -> Message | None:
        if self.state != self.STATE_OPEN or self.current_frame or self.inside_message or self.data:
            return None  # autobahn is in the middle of something
        if self.autoPingTimeoutCall and self.autoPingRestartOnAnyTraffic:
            self._cancelAutoPingTimeoutCall()
        return whole_message(data, longest=self.longest_bytes)

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802
        """Called by Daphne with each message of the application."""
        payload = content if binary else content.encode()
        if self.state == self.STATE_OPEN and len(payload) <= LONGEST_BYTES:
            self.sendData(frame(payload, is_binary=binary))
        else:
            super().serverSend(content, binary)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802
        """Called by autobahn with each frame it made. Whatever does not go at once waits as always."""
        if not sync and not chopsize and not self.send_queue and _has_nothing_to_write(self.transport):
            sent = self.transport.writeSomeData(data)
            data = (
                data[sent:] if isinstance(sent, int) else data
            )  # else the connection is lost: Twisted says so
        if data:
            super().sendData(data, sync, chopsize)


def _has_nothing_to_write(transport: Any) -> bool:
    """Whether it is a plain connection without anything that must go before."""
    if type(transport) is not tcp.Server or transport.TLS or transport.disconnecting:
        return False
    waits = transport._tempDataBuffer or len(transport.dataBuffer) > transport.offset  # noqa: SLF001
    return bool(transport.connected) and not waits


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
        reactor.callWhenRunning(_pass_over_what_is_loaded)
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


def _pass_over_what_is_loaded() -> None:
    """Let the collector look only at what comes later, and less often: all of Django takes it 70 ms.

    Frames leave no cycles: with Python's own threshold of 700 objects it looked for them many times a second.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # what is frozen counts no more: else much has to come before it is looked at
    gc.set_threshold(*COLLECT_AFTER)


def _make_last(request: WebRequest) -> None:
    """Let its connection end with the answer, so that the client's next request goes to another process."""
    if getattr(request, "channel", None) is not None:  # one that has ended may still be known, and has none
        request.channel.persistent = False
        request.setHeader(b"connection", b"close")


def _size(message: dict[str, Any]) -> int:
    return len(message.get("bytes") or message.get("text") or "")
