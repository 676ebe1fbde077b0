"""Lua scripts, each in a file of its own: in the folder `lua` beside the module that runs it.

    _CLAIM = lua.load(__file__, "call_claim", uses="call_end")       # once, when the module is imported
    found = _CLAIM.run(redis_clients.sync_client(), [key], [token, ttl_s])
    found = await _CLAIM.run_async(redis_clients.async_client(), [key], [token, ttl_s])

Redis runs a Lua script in one step: no other command comes in between. A file begins with a comment that
names its KEYS, its ARGV with their units, and its answer. Key names and limits come with each call, so they
stand in one place, in Python.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis
import redis.asyncio
from redis.commands.core import AsyncScript, Script


class LuaScript:
    """A Lua script. Redis keeps its text, and a call sends only the digest.

    The text is sent when Redis does not know it yet, or has lost it.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text
        client: Any = None  # redis-py wants one here too, but uses the one that comes with the call
        self._script, self._async_script = Script(client, text), AsyncScript(client, text)

    def run(self, client: redis.Redis, keys: Sequence[str], args: Sequence[Any] = ()) -> Any:
        """Return the answer; of a pipeline, the answer is among those of `execute()`.

        Raises:
            redis.RedisError: Redis is away, or the script failed.
        """
        return self._script(keys, args, client)

    async def run_async(
        self, client: redis.asyncio.Redis, keys: Sequence[str], args: Sequence[Any] = ()
    ) -> Any:
        """As `run`, on an event loop."""
        return await self._async_script(keys, args, client)


def load(module_file: str, name: str, *, uses: str = "") -> LuaScript:
    """Read the Lua script `lua/<name>.lua` beside the module with that `__file__`.

    uses: the name of a file in the same folder whose functions the script calls; it is put before the script.
    """
    folder = Path(module_file).parent / "lua"
    return LuaScript(b"".join((folder / f"{part}.lua").read_bytes() for part in (uses, name) if part))
