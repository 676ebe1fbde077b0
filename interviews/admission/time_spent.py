"""How long a candidate has had for the current question, over all connections: new ones add none.

Time without a connection is not counted. Each connection adds its own when it ends.
"""

from typing import Any
from uuid import UUID

from voice.infra import redis_clients

KEPT_S = 24 * 3600


async def add(session_id: UUID, phase: str, seconds: float) -> None:
    """Add what a connection had. phase: what the time was for. Raises redis.RedisError."""
    async with redis_clients.async_client().pipeline(transaction=False) as pipe:
        pipe.hincrbyfloat(_key(session_id), phase, seconds)
        pipe.expire(_key(session_id), KEPT_S)
        await pipe.execute()


async def read(session_id: UUID) -> dict[str, float]:
    """Return the seconds that earlier connections had, by phase. Raises redis.RedisError."""
    kept: Any = await redis_clients.async_client().hgetall(_key(session_id))
    return {phase.decode(): float(seconds) for phase, seconds in kept.items()}


def forget(session_id: UUID | str) -> None:
    """Forget the time of an interview that was erased. Raises redis.RedisError."""
    redis_clients.sync_client().delete(_key(session_id))


def find(session_id: UUID | str) -> list[str]:
    """Return the keys that Redis holds. Raises redis.RedisError."""
    return [_key(session_id)] if redis_clients.sync_client().exists(_key(session_id)) else []


def _key(session_id: UUID | str) -> str:
    return f"interviews:session:{session_id}:time"
