"""A candidate's WebSocket that reconnects as connection.js does, on a fast or a slow network."""

import asyncio
import json
import random
import re
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

from picows import WSError, WSFrame, WSListener, WSMsgType, WSParsedURL, WSTransport, ws_connect

from tests.benchmarks.load.measures import Figures
from tests.benchmarks.load.pace import Pace

SILENCE_S = 13.0
CONNECT_S = 8.0
FIRST_BACKOFF_S, MAX_BACKOFF_S = 1.0, 8.0
STEADY_S = 5.0
FINAL_CODES = {4001, 4004, 4010}
ABNORMAL = 1006
PING = b'{"type":"ping"}'
PONG = b'{"type": "pong"}'
ACK = re.compile(rb'\{"type": ?"ack", ?"offset": ?(\d+)\}')
"""1600 acks a second at 1000 candidates: too many for a JSON parser."""


@dataclass(frozen=True)
class SlowNetwork:
    """A network with limited upload, in bytes a second, and `delay_s` in each direction."""

    bytes_a_second: float = 48_000
    delay_s: float = 0.25


def backoff_s(attempt: int) -> float:
    """Return the pause: exponential with full jitter, as in connection.js."""
    return random.random() * min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2**attempt)


class Owner:
    """Callbacks of a connection to its candidate. All are optional."""

    def heard(self, message: dict) -> None:
        """Handle a message other than an ack or a pong."""

    def acked(self, offset: int, now: float) -> None:
        """Handle an ack: the server has this many bytes of the recording being sent."""

    def connection_changed(self, is_open: bool) -> None:
        """Handle an opened or lost connection; it reconnects by itself."""

    def ended(self, code: int) -> None:
        """Handle a final close."""

    def suffered(self, what: str) -> None:
        """Handle an error other than a close."""


class _Line(WSListener):
    """One WebSocket of a connection, until it fails."""

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection
        self.transport: WSTransport | None = None
        self.close_code = ABNORMAL
        self.closed = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.connection.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.connection.received(self, frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            self.close_code = int(frame.get_close_code())
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


class Connection:
    """A connection from `open` to `leave`. Close codes go to `closes`, and as errors to `figures`."""

    def __init__(
        self,
        path: str,
        base_url: str,
        *,
        owner: Owner,
        pace: Pace,
        figures: Figures,
        slow: SlowNetwork | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        self.url = f"{parts.scheme.replace('http', 'ws')}://{parts.netloc}{path}?tab={uuid4().hex}"
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.owner, self.pace, self.figures, self.slow = owner, pace, figures, slow
        self.closes: list[int] = []
        self.is_open = False
        self.began_at = 0.0
        """The start time of the current connection."""
        self._is_claiming = True
        self._attempt = 0
        self._pause_s = 0.0
        self._heard_at = 0.0
        self._lost_at = 0.0  # until the first message of the next connection
        self._free_at = 0.0  # when the slow network has sent all queued bytes
        self._line: _Line | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Connect, and reconnect until `leave` or a final close code."""
        self.pace.pings.add(self._beat)
        self._task = asyncio.create_task(self._stay())

    async def leave(self) -> None:
        """Close like a closed page, without waiting for a handshake."""
        self.pace.pings.remove(self._beat)
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._hang_up()

    def drop(self, pause_s: float = 0.0) -> None:
        """Lose the network silently, and reconnect after `pause_s` at least."""
        self._pause_s = pause_s
        self._hang_up()

    def send(self, message: dict) -> bool:
        """Send a message. Return False if there is no connection."""
        if self.is_open:
            self._send(WSMsgType.TEXT, json.dumps(message, separators=(",", ":")).encode())
        return self.is_open

    def send_frame(self, frame: bytes) -> None:
        """Send a binary message; it is lost without a connection."""
        if self.is_open:
            self._send(WSMsgType.BINARY, frame)

    def _send(self, kind: WSMsgType, payload: bytes) -> None:
        assert self._line
        assert self._line.transport
        if self.slow is None:
            self._line.transport.send(kind, payload)
            return
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time()) + len(payload) / self.slow.bytes_a_second
        loop.call_at(self._free_at + self.slow.delay_s, self._send_late, self._line, kind, payload)

    def _send_late(self, line: _Line, kind: WSMsgType, payload: bytes) -> None:
        if line is self._line and line.transport and self.is_open:
            line.transport.send(kind, payload)

    def opened(self, line: _Line) -> None:
        """Handle the opening of `line`, before the first message as in a browser."""
        if line is self._line:
            self._change(True)

    def received(self, line: _Line, payload: bytes) -> None:
        """Handle a text message of `line`."""
        if self.slow is None:
            self._hear(line, payload)
        else:
            asyncio.get_running_loop().call_later(self.slow.delay_s, self._hear, line, payload)

    def _hear(self, line: _Line, payload: bytes) -> None:
        if line is not self._line:
            return
        now = self._heard_at = time.monotonic()
        self._is_claiming = False
        if self._lost_at:
            self.figures.back_ms.add(1000 * (now - self._lost_at))
            self._lost_at = 0.0
        if ack := ACK.fullmatch(payload):
            self.owner.acked(int(ack[1]), now)
        elif payload != PONG:
            self._tell(json.loads(payload))

    def _tell(self, message: dict) -> None:
        if message["type"] == "ack":
            self.owner.acked(message["offset"], self._heard_at)
        elif message["type"] != "pong":
            self.owner.heard(message)

    async def _stay(self) -> None:
        while True:
            line = await self._connect()
            if line is not None:
                opened_at = time.monotonic()
                await line.closed
                self._lost(line)
                if line.close_code in FINAL_CODES:
                    self.owner.ended(line.close_code)
                    return
                if time.monotonic() - opened_at >= STEADY_S:
                    self._attempt = 0
            pause_s, self._pause_s = max(self._pause_s, backoff_s(self._attempt)), 0.0
            self._attempt += 1
            await asyncio.sleep(pause_s)

    async def _connect(self) -> _Line | None:
        line = self._line = _Line(self)
        self.began_at = self._heard_at = time.monotonic()
        try:
            await ws_connect(
                lambda: line,
                self.url + ("&claim=1" if self._is_claiming else ""),
                extra_headers={"Origin": self.origin},
                socket_factory=_dialled,
                websocket_handshake_timeout=CONNECT_S,
            )
        except (OSError, TimeoutError, WSError) as error:
            self.owner.suffered(f"connect {type(error).__name__}")
            return None
        return line

    def _lost(self, line: _Line) -> None:
        if line is self._line:  # not closed by us
            self.closes.append(line.close_code)
            self.figures.errors[f"closed {line.close_code}"] += 1
            self.figures.lost_at.append(time.monotonic())
            self._line = None
            self._change(False)

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line and line.transport:
            line.transport.disconnect(False)
        self._change(False)

    def _beat(self, now: float) -> None:
        if self._line is None or not self.is_open:
            return
        if now - self._heard_at > SILENCE_S:
            self.owner.suffered("silent server")
            self.drop()
        else:
            self._send(WSMsgType.TEXT, PING)

    def _change(self, is_open: bool) -> None:
        if is_open == self.is_open:
            return
        self.is_open = is_open
        if not is_open:
            self._lost_at = time.monotonic()
        self.figures.connected += 1 if is_open else -1
        self.owner.connection_changed(is_open)


async def _dialled(url: WSParsedURL) -> socket.socket:
    """Return a connected socket. The timeout is here, as a cancelled handshake would leave a socket open."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_S):
        found = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        dialled = socket.socket(family, kind, protocol)
        dialled.setblocking(False)
        try:
            await loop.sock_connect(dialled, address)
        except BaseException:
            dialled.close()
            raise
        return dialled
