"""The base of all WebSocket consumers: Channels' consumer with little work for each message."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import redis
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

CLOSE_TRY_AGAIN = 1013
STORE_ERRORS = (redis.RedisError, OperationalError, InterfaceError)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]


class WebSocketConsumer(AsyncWebsocketConsumer):
    """One connection. Messages are handled one at a time, as in Channels.

    Channels itself creates two tasks for each message and, before handling it, closes database connections in
    a thread that all connections share. Here two loops read instead, and code that uses the database returns
    its connection (`voice.infra.threads.in_thread`).
    """

    _is_accepted = False

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Callable) -> None:
        """Serve the connection until it ends."""
        self.scope, self.base_send = scope, send
        self._handling = asyncio.Lock()
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        listening: asyncio.Task[None] | None = None
        if self.channel_layer is not None:
            try:
                self.channel_name = await self.channel_layer.new_channel()
            except STORE_ERRORS as error:
                await self._come_again(error)
                return
            listening = asyncio.create_task(self._hear_channel_layer())
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            if listening is not None:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening

    async def dispatch(self, message: Message) -> None:
        """Call the handler that is named after the message's type."""
        async with self._handling:
            try:
                await getattr(self, get_handler_name(message))(message)
            except STORE_ERRORS as error:
                await self._come_again(error)
                if message["type"] == "websocket.disconnect":
                    raise StopConsumer from error

    async def accept(self, *args: Any, **kwargs: Any) -> None:
        """Accept, as in Channels, and remember it."""
        self._is_accepted = True
        await super().accept(*args, **kwargs)

    async def _come_again(self, error: Exception) -> None:
        logger.warning("%s: store not reached (%s)", type(self).__name__, type(error).__name__)
        if not self._is_accepted:  # a refused handshake carries no close code
            await self.accept()
        await self.close(CLOSE_TRY_AGAIN)  # nothing was acknowledged; the client reconnects and continues

    async def _hear_channel_layer(self) -> None:
        while True:
            try:
                await self.dispatch(await self.channel_layer.receive(self.channel_name))
            except Exception as error:  # noqa: BLE001  the client reconnects, perhaps to another process
                logger.warning("a message of the channel layer failed: %s", type(error).__name__)
                await self.close(CLOSE_TRY_AGAIN)
                return
