"""The HTTP and WebSocket protocol of one connection."""

from contextvars import Context
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import tcp

from interview_platform.server.flow_control import Gate
from interview_platform.server.websocket_frames import (
    LONGEST_BYTES,
    Incomplete,
    Message,
    frame,
    whole_message,
)


class PromptProtocol(WebSocketProtocol):
    """A WebSocket that parses and sends plain messages in one step (`websocket_frames`) and writes at once.

    Twisted itself first waits until the event loop reports a writable socket. That costs two more system
    calls and a turn of the loop for each message, a sixth of the cost of an acknowledged frame.
    """

    gate: Gate | None = None
    context: Context | None = None
    """Of the application, whose request the access log names when the connection ends."""
    longest_bytes = LONGEST_BYTES
    """The longest message that is parsed in one step."""
    _begun = b""  # an incomplete plain message

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Handle received bytes; called by Twisted. Autobahn's version also formats an unused log line."""
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

    def onClose(self, *how: Any) -> None:  # noqa: N802
        """Tell the application that the connection has ended; called by autobahn."""
        if self.context is None:
            super().onClose(*how)
        else:  # a copy: the application itself may be running in it
            self.context.copy().run(super().onClose, *how)

    def _next_plain(self, data: bytes) -> Message | None:
        if self.state != self.STATE_OPEN or self.current_frame or self.inside_message or self.data:
            return None  # autobahn is in the middle of a message
        if self.autoPingTimeoutCall and self.autoPingRestartOnAnyTraffic:
            self._cancelAutoPingTimeoutCall()
        return whole_message(data, longest=self.longest_bytes)

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802
        """Send a message of the application; called by Daphne."""
        payload = content if binary else content.encode()
        if self.state == self.STATE_OPEN and len(payload) <= LONGEST_BYTES:
            self.sendData(frame(payload, is_binary=binary))
        else:
            super().serverSend(content, binary)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802
        """Write a frame; called by autobahn. Bytes that the kernel does not take at once are buffered."""
        if not sync and not chopsize and not self.send_queue and _has_nothing_to_write(self.transport):
            sent = self.transport.writeSomeData(data)
            data = data[sent:] if isinstance(sent, int) else data  # else the connection is lost
        if data:
            super().sendData(data, sync, chopsize)


def _has_nothing_to_write(transport: Any) -> bool:
    """Whether this is a plain TCP connection with an empty write buffer."""
    if type(transport) is not tcp.Server or transport.TLS or transport.disconnecting:
        return False
    waits = transport._tempDataBuffer or len(transport.dataBuffer) > transport.offset  # noqa: SLF001
    return bool(transport.connected) and not waits
