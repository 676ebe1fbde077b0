"""The messages to the candidate's page; docs/candidate-socket.md lists them."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from interviews.admission.waiting_room import Wait

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outbox:
    """Sends messages over one connection."""

    def __init__(self, send: Send) -> None:
        """send: takes ASGI messages. Channels' own `send` would cost two calls more for each frame.

        It is not a method of the consumer: objects that refer to each other are freed late.
        """
        self._send = send

    async def send(self, message: dict[str, Any]) -> None:
        """Send any message of the protocol."""
        await self._send_text(json.dumps(message))

    async def acknowledge(self, held_bytes: int) -> None:
        """Tell the page how many bytes of the recording are saved without a gap."""
        await self._send_text(f'{{"type": "ack", "offset": {held_bytes}}}')

    async def pong(self) -> None:
        """Answer a `ping`."""
        await self._send_text('{"type": "pong"}')

    async def wait(self, wait: Wait) -> None:
        """Tell the page the place in the line."""
        await self.send({"type": "waiting", **wait._asdict()})

    async def error(self, code: str, detail: str, **extra: object) -> None:
        """Tell the page that its message was refused. The connection stays open."""
        await self.send({"type": "error", "code": code, "detail": detail, **extra})

    async def _send_text(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})
