"""Places in interviews, and the line of candidates who wait for one: in Redis, shared by all processes.

A place and a position in the line are leases: each process renews those of its connections, and what nobody
renews lapses. So a place survives a reload, and nothing has to be tidied up after a process that was killed.
A Redis that lost its data, or that nobody reached until the leases ran out, is told everything again by the
next renewals, the order of the line too. A new *epoch* begins then, and until all processes have had time to
tell, the line stands still.

Who waits at a process that can take nobody, or has just been disconnected, is *barred*: the position is kept,
but those behind it need not wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from django.conf import settings

from voice.infra import redis_clients

PLACE_LEASE_S = 60
LINE_LEASE_S = 120
"""How long a candidate who is away keeps a place, and a position in the line."""
LET_IN_PER_S = 10
LET_IN_AT_ONCE = 30
"""Rate at which the line moves at most, over all processes, and how many may come in at one moment."""
EPOCH_LEASE_S = 20
STANDS_STILL_S = 7
"""At the beginning of an epoch: two looks of every process (`waiting_room.REFRESH_EVERY_S`)."""
AT_MOST = 500
"""Candidates in one call, so that no frame waits long for Redis."""
MEASURED_AT_MOST = 200
"""The mean time a place is held follows about so many of the last stays."""

_NAMES = ("places", "since", "line", "line-leases", "barred", "stays", "next-turn", "epoch")
_KEYS = [f"interviews:admission:{name}" for name in _NAMES]

_BEGIN = f"""
local places, since, line, line_leases, barred, stays, next_turn_key, epoch_key = unpack(KEYS)
local place_ms, line_ms = {PLACE_LEASE_S * 1000}, {LINE_LEASE_S * 1000}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function give_back(id, at)
  local from = redis.call('HGET', since, id)
  if from then
    local count = math.min(redis.call('HINCRBY', stays, 'count', 1), {MEASURED_AT_MOST})
    local mean = tonumber(redis.call('HGET', stays, 'mean_ms') or 0)
    mean = mean + (math.max(0, at - from) - mean) / count
    redis.call('HSET', stays, 'count', count, 'mean_ms', mean)
  end
  redis.call('ZREM', places, id)
  redis.call('HDEL', since, id)
end

local function leave_line(id)
  for _, key in ipairs({{line, line_leases, barred}}) do redis.call('ZREM', key, id) end
end
"""

_ATTEND = (
    _BEGIN
    + f"""
local function lapse(key, lease_ms, lapsed)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', now)) do
    lapsed(id, redis.call('ZSCORE', key, id) - lease_ms)
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. now + lease_ms, '+inf')) do
    redis.call('ZADD', key, now + lease_ms, id)  -- the clock was put back
  end
end

local function take_places(ids)
  local leases = {{}}
  for i, id in ipairs(ids) do leases[2 * i - 1], leases[2 * i] = now + place_ms, id end
  if #ids == 0 or redis.call('ZADD', places, unpack(leases)) == 0 then return end
  for _, id in ipairs(ids) do
    redis.call('HSETNX', since, id, now)
    leave_line(id)
  end
end

local function stand_in_line(id, arrived)
  local at = redis.call('ZSCORE', line, id)
  if not at then
    local last = redis.call('ZREVRANGE', line, 0, 0, 'WITHSCORES')[2]
    at = arrived > 0 and arrived or math.max(now, (last or 0) + 1)
    redis.call('ZADD', line, at, id)
  end
  return tonumber(at)
end

local limit, inside = tonumber(ARGV[1]), tonumber(ARGV[2])
take_places({{unpack(ARGV, 3, 2 + inside)}})
lapse(places, place_ms, give_back)
lapse(line_leases, line_ms, leave_line)

redis.call('SET', epoch_key, now, 'NX')
redis.call('PEXPIRE', epoch_key, {EPOCH_LEASE_S * 1000})
local epoch = tonumber(redis.call('GET', epoch_key))
local free = limit > 0 and limit - redis.call('ZCARD', places) or math.huge
local step_ms = {1000 / LET_IN_PER_S}
local burst_ms = step_ms * {LET_IN_AT_ONCE}
local next_turn = tonumber(redis.call('GET', next_turn_key))
if not next_turn or math.abs(now - next_turn) > burst_ms then next_turn = now - burst_ms end
local turns = math.floor((now - next_turn) / step_ms)
if math.abs(now - epoch) < {STANDS_STILL_S * 1000} then turns = 0 end

local function is_let_in(id, arrived, at)
  if free <= 0 or (turns <= 0 and arrived > 0) then return false end
  local ahead = redis.call('ZRANK', line, id) - redis.call('ZCOUNT', barred, '-inf', at)
  if ahead >= free then return false end
  if ahead == 0 and arrived == 0 then return true end
  if ahead >= turns then return false end
  turns, next_turn = turns - 1, next_turn + step_ms
  return true
end

local positions, leases = {{}}, {{}}
for i = 3 + inside, #ARGV, 3 do
  local id, arrived, can_enter = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2] == '1'
  local position, at = 0, 0
  if redis.call('ZSCORE', places, id) then
    take_places({{id}})
  else
    at = stand_in_line(id, arrived)
    if can_enter then redis.call('ZREM', barred, id) else redis.call('ZADD', barred, at, id) end
    if can_enter and is_let_in(id, arrived, at) then
      take_places({{id}})
      free = free - 1
    else
      position = redis.call('ZRANK', line, id) + 1
      table.insert(leases, now + line_ms)
      table.insert(leases, id)
    end
  end
  table.insert(positions, position)
  table.insert(positions, at)
end
if #leases > 0 then redis.call('ZADD', line_leases, unpack(leases)) end
redis.call('SET', next_turn_key, next_turn)
local count, mean = unpack(redis.call('HMGET', stays, 'count', 'mean_ms'))
return {{epoch, redis.call('ZCARD', places), tonumber(count or 0), math.floor(mean or 0), positions}}
"""
)

_GIVE_BACK = _BEGIN + "give_back(ARGV[1], now)"

_STEP_ASIDE = """
local at = redis.call('ZSCORE', KEYS[3], ARGV[1])
if at then redis.call('ZADD', KEYS[5], at, ARGV[1]) end
"""

_COUNT = """
local now = redis.call('TIME')[1] * 1000
return {redis.call('ZCOUNT', KEYS[1], now, '+inf'), redis.call('ZCOUNT', KEYS[4], now, '+inf')}
"""


@dataclass(frozen=True, slots=True)
class InLine:
    """A candidate who waits.

    arrived_ms: the rank in the order of arrival, 0 for a newcomer; can_enter: this process has room.
    """

    session_id: UUID
    arrived_ms: int
    can_enter: bool


@dataclass(frozen=True, slots=True)
class Position:
    """place: 1 is next, 0 has a place now; arrived_ms: see `InLine`."""

    place: int
    arrived_ms: int


@dataclass(frozen=True, slots=True)
class Stays:
    """For how long places have been held: how many stays were measured lately, and their mean."""

    count: int = 0
    mean_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Roll:
    """What Redis answers to a process that says who is there.

    epoch: another than before if Redis may have forgotten somebody; inside: candidates with a place, over all
    processes; positions: of those in line, in the order given.
    """

    epoch: int
    inside: int
    stays: Stays
    positions: list[Position]


async def attend(*, inside: Sequence[UUID], in_line: Sequence[InLine]) -> Roll:
    """Renew places and positions in the line, and let in whose turn it is.

    Those `inside` have a place from now on, whatever the limit. `in_line` comes in the order of arrival.

    Raises:
        redis.RedisError: Redis is away.
    """
    calls: list[tuple[Sequence[UUID], Sequence[InLine]]] = [
        *((inside[n : n + AT_MOST], ()) for n in range(0, len(inside), AT_MOST)),
        *(((), in_line[n : n + AT_MOST]) for n in range(0, len(in_line), AT_MOST)),
    ]
    rolls = [await _attend(*call) for call in calls or [((), ())]]
    return replace(rolls[-1], positions=[position for roll in rolls for position in roll.positions])


async def _attend(inside: Sequence[UUID], in_line: Sequence[InLine]) -> Roll:
    args: list[Any] = [settings.CANDIDATES_AT_ONCE, len(inside), *map(str, inside)]
    for who in in_line:
        args += [str(who.session_id), who.arrived_ms, int(who.can_enter)]
    script = redis_clients.async_client().register_script(_ATTEND)
    epoch, held, count, mean_ms, flat = await script(keys=_KEYS, args=args)
    positions = [Position(*pair) for pair in zip(flat[::2], flat[1::2], strict=True)]
    return Roll(epoch, held, Stays(count, mean_ms / 1000), positions)


async def give_back(session_id: UUID) -> None:
    """The interview is over: somebody else may come in. Raises redis.RedisError."""
    await redis_clients.async_client().register_script(_GIVE_BACK)(keys=_KEYS, args=[str(session_id)])


async def step_aside(session_id: UUID) -> None:
    """A candidate in the line has gone: those behind need not wait, the position is kept for a while.

    Raises redis.RedisError.
    """
    await redis_clients.async_client().register_script(_STEP_ASIDE)(keys=_KEYS, args=[str(session_id)])


def count() -> tuple[int, int]:
    """How many candidates have a place, and how many wait for one. Raises redis.RedisError."""
    inside, waiting = cast(
        "list[int]", redis_clients.sync_client().register_script(_COUNT)(keys=_KEYS, args=[])
    )
    return inside, waiting
