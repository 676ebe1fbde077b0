import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

import pytest
import redis
import uvloop
from channels.layers import get_channel_layer
from redis.asyncio import ConnectionPool, SSLConnection

from tests import redis_connections
from voice.infra import redis_clients
from voice.recordings import buffer

pytestmark = pytest.mark.usefixtures("clean_redis")

LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
"""uvloop reports a closed connection in another way than asyncio; the web process runs on uvloop."""


async def ask() -> ConnectionPool:
    client = redis_clients.async_client()
    await client.get("nothing")
    return client.connection_pool


async def write_audio() -> ConnectionPool:
    recording_id = uuid4()
    await buffer.open_for(recording_id, writer="me", limit_bytes=100)
    write = await buffer.write(recording_id, writer="me", offset=0, pcm=bytes(100))
    assert write.held_bytes == 100
    return redis_clients.audio_client().connection_pool


async def announce() -> ConnectionPool:
    layer = get_channel_layer()
    await layer.group_send("session", {"type": "session.closed"})
    return layer._shards[0]._redis.connection_pool


async def lose_connections(pool: ConnectionPool) -> None:
    """Close the connections, as when the host is gone and the kernel has given up."""
    connections = [*pool._available_connections, *pool._in_use_connections]
    assert connections
    for connection in connections:
        connection._writer.transport.abort()
    await asyncio.sleep(0.01)


@LOOPS
def test_a_command_over_a_lost_connection_is_a_connection_error(run):
    async def send() -> None:
        pool = ConnectionPool(**redis_clients.options_of_loop())
        connection = await pool.get_connection()
        await lose_connections(pool)
        with pytest.raises(redis.ConnectionError):
            await connection.send_command("PING")
        await pool.aclose()

    run(send())


@LOOPS
@pytest.mark.parametrize("use", [ask, write_audio, announce])
def test_a_lost_connection_fails_once_at_most_and_as_redis_does(run, use):
    run(_use_after_loss(use))


async def _use_after_loss(use: Callable[[], Awaitable[ConnectionPool]]) -> None:
    pool = await use()
    await lose_connections(pool)
    try:
        with suppress(redis.ConnectionError):
            await use()
        await use()
    finally:
        await pool.disconnect()
        await redis_connections.close_those_of_this_loop()


def test_an_address_with_tls_is_reached_with_tls(settings):
    settings.REDIS_URL = "rediss://redis.example.org:6390/2"
    options = redis_clients.options_of_loop()
    assert issubclass(options["connection_class"], SSLConnection)
    assert (options["host"], options["port"], options["db"]) == ("redis.example.org", 6390, 2)


async def test_what_the_address_says_comes_first(settings):
    settings.REDIS_URL += "?socket_timeout=7&max_connections=9"
    for client in (redis_clients.async_client(), redis_clients.audio_client()):
        assert client.connection_pool.connection_kwargs["socket_timeout"] == 7
        assert client.connection_pool.max_connections == 9


@LOOPS
def test_closed_clients_leave_no_connection_behind(run):
    async def use_and_close():
        pools = await ask(), await write_audio()
        was_connected = [any(c.is_connected for c in connections_of(pool)) for pool in pools]
        await redis_clients.close_clients()
        return was_connected, [c for pool in pools for c in connections_of(pool) if c.is_connected]

    assert run(use_and_close()) == ([True, True], [])


def connections_of(pool):
    kept = getattr(pool, "_connections", None) or [*pool._available_connections, *pool._in_use_connections]
    return [connection for connection in kept if connection]
