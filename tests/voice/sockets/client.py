"""A client of the voice sockets, inside this process."""

import asyncio
import contextlib
import json
from typing import ClassVar

from channels.testing import WebsocketCommunicator

from voice import routing
from voice.callers import Caller

PATIENCE_S = 120  # on a machine that is busy with other things
CALLER = Caller(id="key:test", owner="organisation:1", name="Test")


class Client:
    """One connection of an admitted caller."""

    opened: ClassVar[list["Client"]] = []

    def __init__(
        self,
        path: str,
        *,
        caller: Caller = CALLER,
        subprotocols: list[str] | None = None,
        tasks: set[asyncio.Task] | None = None,
    ) -> None:
        given = {
            "caller": caller,
            "is_authorised": self.is_authorised,
            "tasks": set() if tasks is None else tasks,
        }

        async def with_caller(scope, receive, send):
            await consumer(scope | given, receive, send)

        (consumer,) = (p.callback for p in routing.websocket_urlpatterns if p.pattern.match(path))
        self.socket = WebsocketCommunicator(with_caller, f"/{path}", subprotocols=subprotocols)
        self.opened.append(self)
        self.is_known = True

    async def is_authorised(self) -> bool:
        return self.is_known

    async def open(self) -> "Client":
        is_connected, self.subprotocol = await self.socket.connect(timeout=PATIENCE_S)
        assert is_connected
        return self

    async def say(self, kind: str, **fields) -> None:
        await self.socket.send_json_to({"type": kind, **fields})

    async def send(self, *, text: str | None = None, binary: bytes | None = None) -> None:
        frame = {"text": text} if binary is None else {"bytes": binary}  # may be empty, unlike in `send_to`
        await self.socket.send_input({"type": "websocket.receive", **frame})

    async def next(self) -> dict | bytes:
        """Return the next message: a dict, or the bytes of a binary one."""
        output = await self.socket.receive_output(timeout=PATIENCE_S)
        assert output["type"] == "websocket.send", output
        return json.loads(output["text"]) if output.get("text") else output["bytes"]

    async def until(self, kind: str) -> dict:
        """Return the next message of this type; an unexpected error ends the wait."""
        while True:
            message = await self.next()
            if isinstance(message, dict):
                if message["type"] == kind:
                    return message
                assert message["type"] != "error", message

    async def error(self, kind: str, **fields) -> dict:
        """Send an invalid message. Return the error."""
        await self.say(kind, **fields)
        return await self.until_error()

    async def until_error(self) -> dict:
        while True:
            message = await self.next()
            if isinstance(message, dict) and message["type"] == "error":
                return message

    async def still_answers(self) -> None:
        await self.say("ping")
        await self.until("pong")

    async def still_answers_after_anything(self) -> None:
        """As `still_answers`, whatever the answers to earlier messages are."""
        await self.say("ping")
        while await self.next() != {"type": "pong"}:
            pass

    async def close_code(self) -> int:
        while True:
            output = await self.socket.receive_output(timeout=PATIENCE_S)
            if output["type"] == "websocket.close":
                return output["code"]

    async def close(self) -> None:
        """Disconnect. After a failed test the task may already be cancelled, which pytest must not see."""
        with contextlib.suppress(asyncio.CancelledError):
            await self.socket.disconnect(timeout=PATIENCE_S)
