"""Connections to Redis that a test leaves behind."""

import asyncio

import redis.asyncio

from voice.infra import redis_clients


async def close_those_of_this_loop() -> None:
    """Close the connections of the running event loop, which is about to end."""
    for client in redis_clients._of_loops.pop(asyncio.get_running_loop(), {}).values():
        if isinstance(client, redis.asyncio.Redis):
            await client.aclose()
            await client.connection_pool.disconnect()
