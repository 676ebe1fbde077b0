"""The tab that holds an interview. A loaded page claims it; a reconnecting page does not.

So a laptop that regains its network cannot take the interview from the phone on which it was continued.
"""

from uuid import UUID

from voice.infra import redis_clients
from voice.recordings import buffer

HELD_S = buffer.HOT_TTL_S


_CONNECT = """
local tab, is_claim, held_s = ARGV[1], ARGV[2] == '1', ARGV[3]
local holder = redis.call('GET', KEYS[1])
if is_claim or not holder then
  redis.call('SET', KEYS[1], tab, 'EX', held_s)
elseif holder ~= tab then
  return 0
end
local number = redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], held_s)
return number
"""


async def connect(session_id: UUID, query: dict[str, list[str]]) -> int:
    """Return the number of a new connection, or 0 if another tab holds the interview.

    Numbers start at 1 and grow with each connection. query: `tab`, its random id, and `claim` to take over.
    A client without a tab id claims the interview with each connection.
    """
    tab = _tab(query)
    is_claim = not tab or "claim" in query
    script = redis_clients.async_client().register_script(_CONNECT)
    keys = [_holder_key(session_id), f"interviews:session:{session_id}:connections"]
    return int(await script(keys=keys, args=[tab, int(is_claim), HELD_S]))


async def still_holds(session_id: UUID, query: dict[str, list[str]]) -> bool:
    """Whether this tab holds the interview; then only its own connections can be newer."""
    held_by = await redis_clients.async_client().get(_holder_key(session_id))
    return bool(tab := _tab(query)) and held_by == tab.encode()


def _tab(query: dict[str, list[str]]) -> str:
    return query.get("tab", [""])[0][:64]


def _holder_key(session_id: UUID) -> str:
    return f"interviews:session:{session_id}:tab"
