"""Back-pressure: clients that send too fast must wait, and clients that do not read use little memory."""

from asyncio import Event, Queue
from typing import Any

from twisted.internet.interfaces import IPushProducer, ITransport
from zope.interface import implementer

MAX_WAITING_MESSAGES = 32
MAX_WAITING_BYTES = 1024 * 1024
"""Limits of a client's queued messages. Above either, reading from the client pauses."""


@implementer(IPushProducer)
class Gate:
    """Open while the client reads. Twisted closes it when 64 KiB wait to be written."""

    def __init__(self) -> None:
        self._is_open = Event()
        self._is_open.set()

    async def passed(self) -> None:
        """Wait until the gate is open."""
        await self._is_open.wait()

    def pauseProducing(self) -> None:  # noqa: N802  Twisted's name
        """Close the gate, because the write buffer is full."""
        self._is_open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        """Open the gate, because the write buffer is empty."""
        self._is_open.set()

    stopProducing = resumeProducing  # noqa: N815  when the connection is lost, waiting ends


class Inbox(Queue[dict[str, Any]]):
    """Messages for the application. Reading from the client pauses while too many are queued."""

    def __init__(self, transport: ITransport) -> None:
        super().__init__()
        self._transport: Any = transport
        self._waiting_bytes = 0
        self._is_paused = False

    def put_nowait(self, item: dict[str, Any]) -> None:
        """Queue a message; called by Daphne."""
        super().put_nowait(item)
        self._waiting_bytes += _size(item)
        if not self._is_paused and self._is_full():
            self._is_paused = True
            self._transport.pauseProducing()

    def get_nowait(self) -> dict[str, Any]:
        """Return a message; also called by `get`."""
        item = super().get_nowait()
        self._waiting_bytes -= _size(item)
        if self._is_paused and not self._is_full():
            self._is_paused = False
            self._transport.resumeProducing()
        return item

    def _is_full(self) -> bool:
        return self.qsize() >= MAX_WAITING_MESSAGES or self._waiting_bytes >= MAX_WAITING_BYTES


def _size(message: dict[str, Any]) -> int:
    return len(message.get("bytes") or message.get("text") or "")
