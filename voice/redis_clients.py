"""Connections to Redis: of an event loop, of those in it that wait for long, and of threads."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings

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
        lambda: redis.asyncio.Redis.from_url(
            settings.REDIS_URL, single_connection_client=True, socket_timeout=ANSWER_WITHIN_S, **CONNECTING
        ),
    )


def _pooled(**limits: int) -> redis.asyncio.Redis:
    pool = redis.asyncio.BlockingConnectionPool.from_url(settings.REDIS_URL, **limits, **CONNECTING)
    return redis.asyncio.Redis(connection_pool=pool)


async def close_async_clients() -> None:
    """Close the connections of the running event loop, which is about to end."""
    for client in _of_loops.pop(asyncio.get_running_loop(), {}).values():
        if isinstance(client, redis.asyncio.Redis):
            await client.aclose()
            await client.connection_pool.disconnect()


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
