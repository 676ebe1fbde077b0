"""Daphne, whose WebSockets wait for their clients.

Daphne by itself hands everything an application sends to the connection at once, and everything a client
sends to the application's queue: a client that does not read, or that sends faster than it is served, would
fill the memory. Here `await send(...)` waits until the client has read, once 64 KiB are buffered, and a
connection whose messages wait is not read from, so that TCP slows its client down.

Source: ASGI specification, "send … flow control"; Twisted's IPushProducer.
"""

from asyncio import Event, Queue, ensure_future
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from daphne.cli import CommandLineInterface
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.interfaces import IPushProducer, ITransport
from zope.interface import implementer

MAX_WAITING_MESSAGES = 32
MAX_WAITING_BYTES = 1024 * 1024
"""Messages of a client that wait for the application; with more than either, reading pauses."""
LARGE_MESSAGES = ("/ws/voice", "/ws/tts")
"""Addresses whose messages carry audio files in base64. Nobody can send one before he was let in."""
LARGE_MESSAGE_BYTES = 8 * 1024 * 1024


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


class PatientServer(Server):
    """See the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gates: WeakKeyDictionary[WebSocketProtocol, Gate] = WeakKeyDictionary()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Queue | None:
        """As Daphne does, with an `Inbox` and a `Gate` where the protocol is a WebSocket."""
        if not isinstance(protocol, WebSocketProtocol):
            return super().create_application(protocol, scope)
        if scope["path"].rstrip("/") in LARGE_MESSAGES:
            protocol.maxMessagePayloadSize = protocol.maxFramePayloadSize = LARGE_MESSAGE_BYTES
        protocol.failByDrop = False  # a client that breaks the protocol is told with a close code
        gate = self._gates[protocol] = Gate()
        protocol.transport.unregisterProducer()  # the HTTP channel that the connection was
        protocol.transport.registerProducer(gate, True)
        inbox = Inbox(protocol.transport)
        scope.setdefault("asgi", {"version": "3.0"})
        running = self.application(scope, inbox.get, partial(self.handle_reply, protocol))
        self.connections[protocol]["application_instance"] = ensure_future(running)
        return inbox

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send, and wait until the client can take more."""
        await super().handle_reply(protocol, message)
        if gate := self._gates.get(protocol):
            await gate.passed()


def install() -> None:
    """Let Daphne's command use it. Called when the application is imported, before the server is made."""
    CommandLineInterface.server_class = PatientServer


def _size(message: dict[str, Any]) -> int:
    return len(message.get("bytes") or message.get("text") or "")
