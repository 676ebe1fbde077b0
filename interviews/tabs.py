"""Which tab holds an interview. A page that is loaded claims it; one that only reconnects does not.

So a laptop that comes back from a dead spot cannot take the interview from the phone it went on at.
"""

from uuid import UUID

from voice import hot_audio, redis_clients

HELD_S = hot_audio.HOT_TTL_S


async def holds(session_id: UUID, query: dict[str, list[str]]) -> bool:
    """Whether the tab may have the connection.

    query: `tab`, its random id, and `claim` if it wants to take over. A client that names no tab claims the
    interview with each connection.
    """
    tab = _tab(query)
    client, key = redis_clients.async_client(), f"interviews:session:{session_id}:tab"
    if not tab or "claim" in query:
        await client.set(key, tab, ex=HELD_S)
        return True
    await client.set(key, tab, ex=HELD_S, nx=True)
    return bool(await client.get(key) == tab.encode())


async def still_holds(session_id: UUID, query: dict[str, list[str]]) -> bool:
    """Whether the tab has the connection, and so none but another connection of its own can be newer."""
    held_by = await redis_clients.async_client().get(f"interviews:session:{session_id}:tab")
    return bool(tab := _tab(query)) and held_by == tab.encode()


def _tab(query: dict[str, list[str]]) -> str:
    return query.get("tab", [""])[0][:64]


async def next_number(session_id: UUID) -> int:
    """The number of a new connection: who has a lower one is an older connection."""
    client, key = redis_clients.async_client(), f"interviews:session:{session_id}:connections"
    number = int(await client.incr(key))
    await client.expire(key, HELD_S)
    return number
