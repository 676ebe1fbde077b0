"""Connections to Redis: of an event loop, of those in it that wait for long, and of threads."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.connection import AbstractConnection, parse_url

T = TypeVar("T")

ANSWER_WITHIN_S = 5
"""A Redis that says nothing for so long is not reached: hosts that are cut off close no connection."""
CONNECTING: dict[str, Any] = {"socket_connect_timeout": 3, "socket_keepalive": True}

_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Any]] = WeakKeyDictionary()


def of_loop(name: str, make: Callable[[], T]) -> T:
    """What the running event loop has under `name`, made when it is first asked for."""
    things = _of_loops.setdefault(asyncio.get_running_loop(), {})
    if name not in things:
        things[name] = make()
    return cast(T, things[name])


def options_of_loop(**options: Any) -> dict[str, Any]:
    """What a pool of redis.asyncio is made with, for the Redis of the settings; its URL has the last word."""
    options = {**CONNECTING, **options, **parse_url(settings.REDIS_URL)}
    kind = options.pop("connection_class", redis.asyncio.Connection)
    return {**options, "connection_class": _that_tells_its_end(kind)}


@cache
def _that_tells_its_end(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """Return that kind of connection, whose every failure to send is a redis.ConnectionError.

    Asyncio answers a write to a connection that broke a moment ago with an OSError, which redis-py knows;
    uvloop with a RuntimeError, which it does not: a candidate's socket was closed with 1011.
    """

    class Connection(kind):  # type: ignore[misc, valid-type]
        async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
            try:
                await super().send_packed_command(*args, **kwargs)
            except RuntimeError as error:
                raise redis.ConnectionError(str(error)) from error

    return Connection


def async_client() -> redis.asyncio.Redis:
    """The Redis client of the running event loop; it waits for a free connection rather than fail."""
    return of_loop("prompt", lambda: _pooled(max_connections=50, timeout=10, socket_timeout=ANSWER_WITHIN_S))


def waiting_client() -> redis.asyncio.Redis:
    """Connections that wait for answers, one a call under way, apart from those that must answer at once."""
    return of_loop("waiting", lambda: _pooled(max_connections=settings.VOICE["CALLS_AT_ONCE"], timeout=30))


def audio_client() -> redis.asyncio.Redis:
    """One connection for the frames of all recordings: without a pool a command costs two thirds."""
    return of_loop(
        "audio",
        lambda: redis.asyncio.Redis(
            connection_pool=redis.asyncio.ConnectionPool(**options_of_loop(socket_timeout=ANSWER_WITHIN_S)),
            single_connection_client=True,
        ),
    )


def _pooled(**limits: Any) -> redis.asyncio.Redis:
    pool = redis.asyncio.BlockingConnectionPool(**options_of_loop(**limits))
    return redis.asyncio.Redis(connection_pool=pool)


@cache
def sync_client() -> redis.Redis:
    """The Redis client of this process, for threads."""
    pool = redis.BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        max_connections=20,
        timeout=10,
        socket_timeout=ANSWER_WITHIN_S,
        **CONNECTING,
    )
    return redis.Redis(connection_pool=pool)
