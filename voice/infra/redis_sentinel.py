"""Connections to whichever Redis is the master now, where sentinels watch several of them.

The host of REDIS_URL is then the master's name at the sentinels (REDIS_SENTINELS). Each new connection asks
them where it is. When the master changes, Redis closes the old one's connections, so all clients follow.

Source: "Guidelines for Redis clients with support for Redis Sentinel", redis.io.
"""

from functools import cache
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel
from django.conf import settings

ANSWER_WITHIN_S = 1.0
"""A sentinel that is silent for so long is away, and the next one is asked."""


@cache
def to_master(kind: type) -> type:
    """Return this type of connection, changed to ask the sentinels first. Its `host` is the master's name."""

    class Connection(kind):
        host: str
        port: int

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self._master = self.host

        def _connect(self) -> Any:
            self.host, self.port = _address(self._master)
            return super()._connect()

        def read_response(self, *args: Any, **options: Any) -> Any:
            try:
                return super().read_response(*args, **options)
            except redis.ReadOnlyError:
                self.disconnect()
                raise redis.ConnectionError(DEMOTED) from None

    return Connection


@cache
def to_master_async(kind: type) -> type:
    """As `to_master`, for a connection of redis.asyncio."""

    class Connection(kind):
        host: str
        port: int

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self._master = self.host

        async def _connect(self) -> None:
            self.host, self.port = await _address_async(self._master)
            await super()._connect()

        async def read_response(self, *args: Any, **options: Any) -> Any:
            try:
                return await super().read_response(*args, **options)
            except redis.ReadOnlyError:
                await self.disconnect()
                raise redis.ConnectionError(DEMOTED) from None

    return Connection


DEMOTED = "this Redis is no longer the master"


def _address(master: str) -> tuple[str, int]:
    """Ask the sentinels. Raises redis.ConnectionError: none answers, or none knows a living master."""
    asked = redis.sentinel.Sentinel(settings.REDIS_SENTINELS, sentinel_kwargs=_options())
    try:
        address: tuple[str, int] = asked.discover_master(master)
    finally:
        for client in asked.sentinels:
            client.close()
    return address


async def _address_async(master: str) -> tuple[str, int]:
    asked = redis.asyncio.sentinel.Sentinel(settings.REDIS_SENTINELS, sentinel_kwargs=_options())
    try:
        address: tuple[str, int] = await asked.discover_master(master)
    finally:
        for client in asked.sentinels:
            await client.aclose()
    return address


def sentinel_options(redis_url: str, password: str) -> dict[str, Any]:
    """Return how sentinels are reached: with TLS as Redis itself, and with a password of their own."""
    return {
        **tls_options(redis_url),
        "password": password or None,
        "socket_timeout": ANSWER_WITHIN_S,
        "socket_connect_timeout": ANSWER_WITHIN_S,
    }


def tls_options(redis_url: str) -> dict[str, Any]:
    """Return what an address says of TLS: empty without."""
    options = redis.connection.parse_url(redis_url)
    tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
    return tls | ({"ssl": True} if "connection_class" in options else {})


def _options() -> dict[str, Any]:
    return sentinel_options(settings.REDIS_URL, settings.REDIS_SENTINEL_PASSWORD)
