"""The tab that holds an interview. A loaded page claims it; a reconnecting page does not.

So a laptop that regains its network cannot take the interview from the phone on which it was continued.
"""

from uuid import UUID

from voice.infra import lua, redis_clients
from voice.recordings import buffer

HELD_S = buffer.HOT_TTL_S

_CONNECT = lua.load(__file__, "tabs_connect")


async def connect(session_id: UUID, query: dict[str, list[str]]) -> int:
    """Return the number of a new connection, or 0 if another tab holds the interview.

    Numbers start at 1 and grow with each connection. query: `tab`, its random id, and `claim` to take over.
    A client without a tab id claims the interview with each connection.
    """
    tab = _tab(query)
    is_claim = not tab or "claim" in query
    return int(
        await _CONNECT.run_async(
            redis_clients.async_client(), _keys(session_id), [tab, int(is_claim), HELD_S]
        )
    )


async def still_holds(session_id: UUID, query: dict[str, list[str]]) -> bool:
    """Whether this tab holds the interview; then only its own connections can be newer."""
    held_by = await redis_clients.async_client().get(_holder_key(session_id))
    return bool(tab := _tab(query)) and held_by == tab.encode()


def forget(session_id: UUID | str) -> None:
    """Forget who holds an interview that was erased. Raises redis.RedisError."""
    redis_clients.sync_client().delete(*_keys(session_id))


def find(session_id: UUID | str) -> list[str]:
    """Return the keys that Redis holds of an interview. Raises redis.RedisError."""
    client = redis_clients.sync_client()
    return [key for key in _keys(session_id) if client.exists(key)]


def _tab(query: dict[str, list[str]]) -> str:
    return query.get("tab", [""])[0][:64]


def _keys(session_id: UUID | str) -> list[str]:
    return [_holder_key(session_id), f"interviews:session:{session_id}:connections"]


def _holder_key(session_id: UUID | str) -> str:
    return f"interviews:session:{session_id}:tab"
