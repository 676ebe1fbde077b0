"""The WebSocket of a page that shows interviews under way.

A watcher costs candidates nothing. It is hinted at that something changed (`events.watchers`), and reads its
part of the list at most once a second, whatever happens meanwhile. Without a hint it reads every five
seconds, because a connection that is lost tells nothing. Each reading begins with the person's session, user
and roles, so what was withdrawn ends within seconds.

To the page: `view` with `counts`, the `order` of the rows' ids and those `rows` that changed; `pong`.
To the server: `ping`.
"""

import asyncio
import json
import logging
from asyncio import Semaphore
from contextlib import AsyncExitStack, suppress
from typing import Final
from urllib.parse import parse_qsl

import redis

from accounts.audit import sockets
from interviews.events import watchers
from interviews.watching import view
from interviews.watching.view import Row, Shown, View
from voice.callers import group_of
from voice.capacity import rate_limits
from voice.errors import Busy
from voice.infra import json_messages
from voice.infra.json_messages import NotAMessage
from voice.infra.redis_clients import of_loop
from voice.infra.threads import in_thread
from voice.infra.websocket import CLOSE_TRY_AGAIN, STORE_ERRORS, WebSocketConsumer

CLOSE_TOO_SLOW, CLOSE_SIGNED_OUT = 1008, 4401
REST_S: Final = 1.0
"""Between two readings of a watcher."""
AT_LATEST_S: Final = 5.0
"""Then it reads again, hint or not."""
AT_ONCE: Final = 2
"""Watchers of a process that read at a time, so that candidates never wait for database connections."""
SEND_WITHIN_S: Final = 30.0
"""A page that takes no data for this many seconds is gone."""

logger = logging.getLogger(__name__)


class WatcherConsumer(WebSocketConsumer):
    """One page. `scope` has the `caller`, and `signed_in`: who that is just now."""

    _watching: asyncio.Task[None] | None = None
    _is_noted = False

    async def connect(self) -> None:
        await self.accept()
        self._shown = Shown.of_address(dict(parse_qsl(self.scope["query_string"].decode("latin-1"))))
        self._changed = asyncio.Event()
        self._told: tuple[dict[str, int], dict[str, Row]] = ({}, {})
        self._groups = {group_of(self.scope["caller"].id)}
        self._place = AsyncExitStack()
        try:
            await self._place.enter_async_context(rate_limits.connection(self.scope["caller"]))
        except Busy:
            await self.close(CLOSE_TRY_AGAIN)
            return
        for group in self._groups:
            await self.channel_layer.group_add(group, self.channel_name)
        self._watching = asyncio.create_task(self._watch())

    async def disconnect(self, code: int) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await self._place.aclose()
        with suppress(redis.RedisError):
            for group in self._groups:
                await self.channel_layer.group_discard(group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        with suppress(NotAMessage):  # what is no message is ignored: there is nothing to be asked here
            if json_messages.parse(text_data or "")["type"] == "ping":
                await self.send(text_data='{"type": "pong"}')

    async def interviews_changed(self, message: dict) -> None:
        self._changed.set()

    async def caller_changed(self, message: dict) -> None:
        """Something of the person changed: the session, the password, a role."""
        self._changed.set()

    async def _watch(self) -> None:
        try:
            while await self._look():
                await asyncio.sleep(REST_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(AT_LATEST_S):
                        await self._changed.wait()
        except STORE_ERRORS as error:
            await self._come_again(error)
        except Exception as error:  # noqa: BLE001  the page connects anew; a message may quote a name
            logger.error("a watcher failed: %s", type(error).__name__)
            await self.close(CLOSE_TRY_AGAIN)

    async def _look(self) -> bool:
        """Read, and tell the page what has changed. Return whether to go on."""
        self._changed.clear()
        async with of_loop("watchers", lambda: Semaphore(AT_ONCE)):
            seen = await self._read()
        if seen is None:
            await self.close(CLOSE_SIGNED_OUT)
            return False
        await self._join(seen.organisations)
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await self._tell(seen)
        except TimeoutError:
            await self.close(CLOSE_TOO_SLOW)
            return False
        return True

    @in_thread
    def _read(self) -> View | None:
        with self.scope["signed_in"]() as user:
            if user is None:
                return None
            if not self._is_noted:
                sockets.opened(self.scope, user)
                self._is_noted = True
            return view.read(user, self._shown)

    async def _join(self, organisations: frozenset[int] | None) -> None:
        """Be in the groups of these organisations and in no others."""
        ids = () if organisations is None else organisations
        wanted = {group_of(self.scope["caller"].id), *map(watchers.group_name, ids)}
        if organisations is None:
            wanted.add(watchers.EVERYWHERE)
        for group in wanted - self._groups:
            await self.channel_layer.group_add(group, self.channel_name)
        for group in self._groups - wanted:
            await self.channel_layer.group_discard(group, self.channel_name)
        self._groups = wanted

    async def _tell(self, seen: View) -> None:
        rows = {row.id: row for row in seen.rows}
        told_counts, told_rows = self._told
        if told_counts == seen.counts and list(told_rows.items()) == list(rows.items()):
            return
        changed = [row._asdict() for row in seen.rows if told_rows.get(row.id) != row]
        self._told = (seen.counts, rows)
        message = {"type": "view", "counts": seen.counts, "order": list(rows), "rows": changed}
        await self.send(text_data=json.dumps(message))
