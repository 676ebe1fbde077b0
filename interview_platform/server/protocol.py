"""The HTTP and WebSocket protocol of one connection."""

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
