"""Connections to Redis: for an event loop, for long waits on it, and for threads."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.connection import AbstractConnection, parse_url

from voice.infra import redis_sentinel

T = TypeVar("T")

ANSWER_WITHIN_S = 5
"""Without an answer for this many seconds Redis is unreachable: a cut-off host closes no connection."""
CONNECTING: dict[str, Any] = {"socket_connect_timeout": 3, "socket_keepalive": True}

_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Any]] = WeakKeyDictionary()


def of_loop(name: str, make: Callable[[], T]) -> T:
    """Return what the running event loop has under `name`; create it on first use."""
    things = _of_loops.setdefault(asyncio.get_running_loop(), {})
    if name not in things:
        things[name] = make()
    return cast(T, things[name])


async def close_clients() -> None:
    """Close the clients of the running event loop: for a program that ends with it."""
    for thing in _of_loops.pop(asyncio.get_running_loop(), {}).values():
        if isinstance(thing, redis.asyncio.Redis):
            await thing.aclose(close_connection_pool=True)


def options_of_loop(**options: Any) -> dict[str, Any]:
    """Return the options of a redis.asyncio pool for the configured Redis; its URL overrides them."""
    options = {**CONNECTING, **options, **parse_url(settings.REDIS_URL)}
    kind = options.pop("connection_class", redis.asyncio.Connection)
    if settings.REDIS_SENTINELS:
        kind = redis_sentinel.to_master_async(kind)
    return {**options, "connection_class": _that_tells_its_end(kind)}


@cache
def _that_tells_its_end(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """Return this type of connection, changed to report every failed send as redis.ConnectionError.

    When a connection has just broken, asyncio answers a write with an OSError, which redis-py handles. uvloop
    raises a RuntimeError, which it does not handle: a candidate's socket was closed with 1011.
    """

    class Connection(kind):  # type: ignore[misc, valid-type]
        async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
            try:
                await super().send_packed_command(*args, **kwargs)
            except RuntimeError as error:
                raise redis.ConnectionError(str(error)) from error

    return Connection


def async_client() -> redis.asyncio.Redis:
    """Return the Redis client of the running event loop; it waits for a free connection."""
    return of_loop("prompt", lambda: _pooled(max_connections=50, timeout=10, socket_timeout=ANSWER_WITHIN_S))


def waiting_client() -> redis.asyncio.Redis:
    """Return the client for blocking reads, one connection a call, apart from the prompt commands."""
    return of_loop("waiting", lambda: _pooled(max_connections=settings.VOICE["CALLS_AT_ONCE"], timeout=30))


def audio_client() -> redis.asyncio.Redis:
    """Return one connection for the frames of all recordings: without a pool a command costs two thirds."""
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
    """Return the Redis client of this process, for threads."""
    limits = {"max_connections": 20, "timeout": 10, "socket_timeout": ANSWER_WITHIN_S}
    return redis.Redis(connection_pool=redis.BlockingConnectionPool(**options_of_threads(**limits)))


def own_client(**options: Any) -> redis.Redis:
    """Return a client with connections of its own, for threads; the options are those of a connection."""
    return redis.Redis(connection_pool=redis.ConnectionPool(**options_of_threads(**options)))


def options_of_threads(**options: Any) -> dict[str, Any]:
    """Return the options of a redis pool for the configured Redis; its URL overrides them."""
    options = {**CONNECTING, **options, **redis.connection.parse_url(settings.REDIS_URL)}
    kind = options.pop("connection_class", redis.Connection)
    return {
        **options,
        "connection_class": redis_sentinel.to_master(kind) if settings.REDIS_SENTINELS else kind,
    }
