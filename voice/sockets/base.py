"""The base of the voice sockets: admission, parsing, errors, and sending at the client's pace."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any, ClassVar, TypeVar

import redis

from voice import metrics
from voice.callers import WRITE, Caller, group_of
from voice.capacity import rate_limits, shedding
from voice.errors import Busy, NotAuthorised
from voice.infra.tracebacks import place_of
from voice.infra.websocket import WebSocketConsumer
from voice.live import listener
from voice.sockets import messages
from voice.sockets.messages import Message, UnknownType

T = TypeVar("T")
logger = logging.getLogger(__name__)

CLOSE_TOO_SLOW, CLOSE_DEFECT, CLOSE_BUSY, CLOSE_NOT_AUTHORISED = 1008, 1011, 1013, 4401
AUTHORISED_FOR_S = 30.0
"""How often a connection asks whether its caller is still let in, unless the project says otherwise."""
STOP_WITHIN_S = 1.0
SEND_WITHIN_S = 30.0
"""A client that takes no data for this many seconds is gone, or does not read."""
PROTOCOL = "voice"
"""Accepted if it is offered: browsers offer it beside their key."""


class VoiceConsumer(WebSocketConsumer):
    """One connection. A message is answered in its turn, or starts a task that answers later."""

    socket_name: ClassVar[str]
    needs: ClassVar[str] = WRITE
    """The scope that a key must have to open this socket."""
    field_names: ClassVar[Mapping[str, str]] = {}
    """Names of fields in the messages that differ from the service's names."""

    caller: Caller

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._place = AsyncExitStack()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sending = asyncio.Lock()
        self.is_open = False

    def handlers(self) -> Mapping[str, Callable[[Message], Awaitable[None]]]:
        """Return the handler of each type of message; `ping` is answered here."""
        raise NotImplementedError

    async def binary(self, data: bytes) -> None:
        """Handle a binary message."""
        raise messages.BadMessage("This socket takes text messages only; see docs/speech.md.")

    # --- Called by Channels -----------------------------------------------------------------------

    async def connect(self) -> None:
        self.caller = self.scope["caller"]
        self._tasks = self.scope.get("tasks", self._tasks)  # a server that shuts down lets them finish
        shedding.watch(listener.behind_s)
        offered = self.scope.get("subprotocols") or []
        await self.accept(subprotocol=PROTOCOL if PROTOCOL in offered else None)
        try:
            await self._place.enter_async_context(rate_limits.connection(self.caller))
        except Busy as busy:
            await self._put({"type": "error", **(messages.error_fields(busy) or {})})
            await self.close(CLOSE_BUSY)
            return
        self.is_open = True
        connections = metrics.CONNECTIONS.labels(socket=self.socket_name)
        connections.inc()
        self._place.callback(connections.dec)
        await self.channel_layer.group_add(group_of(self.caller.id), self.channel_name)
        self._place.push_async_callback(self._leave_group)
        watching = asyncio.create_task(self._stay_authorised())
        self._place.callback(watching.cancel)

    async def disconnect(self, code: int) -> None:
        self.is_open = False
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_WITHIN_S)  # redis-py 8 can lose a cancellation
        await self._place.aclose()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.is_open:
            return  # being closed
        named: Message = {}
        try:
            if bytes_data is not None:
                await self.binary(bytes_data)
                return
            message = messages.parse(text_data or "")
            named = messages.names(message)
            await self._handler(message["type"])(message)
        except Exception as error:  # noqa: BLE001  a defect closes the connection, see `failed`
            await self.failed(error, **named)

    def _handler(self, kind: str) -> Callable[[Message], Awaitable[None]]:
        handlers = {"ping": self._pong, **self.handlers()}
        if kind not in handlers:
            raise UnknownType(f"type: {kind[:40]!r} is none of {', '.join(sorted(handlers))}.")
        return handlers[kind]

    async def caller_changed(self, message: Message) -> None:
        """Something about the caller changed: sent by the project through the channel layer."""
        await self._end_unless_authorised()

    async def _stay_authorised(self) -> None:
        while self.is_open:
            await asyncio.sleep(self.scope.get("is_authorised_for_s", AUTHORISED_FOR_S))
            await self._end_unless_authorised()

    async def _end_unless_authorised(self) -> None:
        if self.is_open and not await self.scope["is_authorised"]():
            await self.failed(
                NotAuthorised("You are not let in any more; sign in again, or send a valid key.")
            )

    async def _leave_group(self) -> None:
        with suppress(redis.RedisError):
            await self.channel_layer.group_discard(group_of(self.caller.id), self.channel_name)

    async def _pong(self, message: Message) -> None:
        await self.say("pong")

    # --- For the sockets --------------------------------------------------------------------------

    async def say(self, kind: str, *, binary: bytes = b"", **fields: Any) -> None:
        """Send a message, and its binary one. Waits while the client does not read."""
        if not self.is_open:
            return
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await self._put({"type": kind, **fields}, binary)
        except TimeoutError:
            await self._give_up(CLOSE_TOO_SLOW)

    async def failed(self, error: Exception, **named: Any) -> None:
        """Send the client an error. The connection stays open, unless the fault is ours."""
        if fields := messages.error_fields(error, self.field_names):
            await self.say("error", **fields | named)
            if isinstance(error, NotAuthorised):
                await self._give_up(CLOSE_NOT_AUTHORISED)
            return
        # the kind alone: a message may quote what somebody said
        place = place_of(error.__traceback__)
        logger.error("%s socket failed: %s in %s", self.socket_name, type(error).__name__, place)
        await self._give_up(CLOSE_DEFECT)

    def begin(self, work: Coroutine[Any, Any, None], **named: Any) -> asyncio.Task[None]:
        """Run a task of this connection; what it raises becomes an `error` message."""
        task = self.spawn(self._guarded(work, named))
        task.add_done_callback(lambda _: work.close())  # left as it was if the task ends before it begins
        return task

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a task of this connection; the caller may await it or ignore it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # marks the exception as retrieved

    async def count_request(self) -> None:
        """Count a request that causes work.

        Raises:
            RateLimited: too many requests this minute.
        """
        await rate_limits.count_request(self.caller)

    async def _guarded(self, work: Coroutine[Any, Any, None], named: Message) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  see `failed`
            await self.failed(error, **named)

    async def _put(self, message: Message, binary: bytes = b"") -> None:
        text = await messages.encoded(message)
        async with self._sending:
            await self.send(text_data=text)
            if binary:
                await self.send(bytes_data=binary)

    async def _give_up(self, code: int) -> None:
        if self.is_open:
            self.is_open = False
            for task in self._tasks:
                if task is not asyncio.current_task():
                    task.cancel()
            await self.close(code)
