"""The channel layer, and sending through it from threads without an event loop.

Each process runs one event loop in a thread for this, so that connections to Redis are kept between messages.
(`async_to_sync` would create a loop and a connection for every message.)
"""

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import cache
from typing import Any

import redis
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer

from voice.infra import redis_clients

logger = logging.getLogger(__name__)

SEND_TIMEOUT_S = 5


class ChannelLayer(RedisPubSubChannelLayer):
    """Channels' publish-and-subscribe layer, with the Redis connections that this project uses elsewhere."""

    def __init__(self, **config: Any) -> None:
        super().__init__(hosts=[redis_clients.options_of_loop()], **config)


def send(channel_name: str, message: dict) -> None:
    """Send to one connection. A message is only a hint: one that cannot be sent is logged and dropped."""
    _run(get_channel_layer().send(channel_name, message))


def group_send(group: str, message: dict) -> None:
    """Send to every connection of a group, like `send`."""
    _run(get_channel_layer().group_send(group, message))


def group_send_soon(group: str, message: dict, *, within_s: float) -> None:
    """Send to every connection of a group within `within_s`: one message for all calls until then.

    Returns at once. For hints that come often and say the same.
    """
    planned = (os.getpid(), group)
    if planned in _planned:
        return
    _planned.add(planned)
    sending = asyncio.run_coroutine_threadsafe(_send_later(planned, message, within_s), _loop(os.getpid()))
    _sending.add(sending)  # the loop itself keeps no task
    sending.add_done_callback(_sending.discard)


async def _send_later(planned: tuple[int, str], message: dict, within_s: float) -> None:
    await asyncio.sleep(within_s)
    _planned.discard(planned)  # before it is sent: whatever happens from now on needs another message
    try:
        await get_channel_layer().group_send(planned[1], message)
    except (redis.RedisError, OSError) as error:
        logger.warning("channel layer not reached: %s", type(error).__name__)


_planned: set[tuple[int, str]] = set()
"""Messages that are still to be sent, by process (a forked child sends its own) and group."""
_sending: set[Future[None]] = set()


def _run(coroutine: Coroutine[object, object, None]) -> None:
    try:
        asyncio.run_coroutine_threadsafe(coroutine, _loop(os.getpid())).result(SEND_TIMEOUT_S)
    except (redis.RedisError, OSError, FutureTimeout) as error:
        logger.warning("channel layer not reached: %s", type(error).__name__)


@cache
def _loop(pid: int) -> asyncio.AbstractEventLoop:
    """Return the sending loop of process `pid` (a forked child needs its own)."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="channel-layer", daemon=True).start()
    return loop
