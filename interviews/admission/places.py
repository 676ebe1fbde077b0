"""Places in interviews, and the line of candidates who wait for one: in Redis, shared by all processes.

A place and a position in the line are leases. Each process renews the leases of its connections; a lease
that is not renewed expires. So a place survives a reload, and a killed process leaves nothing to clean up.
If Redis lost its data or was unreachable until the leases expired, the next renewals restore everything,
including the order of the line. A new *epoch* begins then: the line stands still until all processes have
had time to renew.

A waiting candidate whose process is full, or who has just disconnected, is *barred*: the position is kept,
but the candidates behind need not wait for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings

from voice.infra import lua, redis_clients

PLACE_LEASE_S = 60
LINE_LEASE_S = 120
"""How long a disconnected candidate keeps a place, and a position in the line."""
LET_IN_PER_S = 10
LET_IN_AT_ONCE = 30
"""The line's highest rate over all processes, and how many candidates are admitted at one moment."""
EPOCH_LEASE_S = 20
STANDS_STILL_S = 7
"""At the start of an epoch: two rounds of every process (`waiting_room.REFRESH_EVERY_S`)."""
AT_MOST = 500
"""Candidates in one call, so that frames need not wait long for Redis."""
MEASURED_AT_MOST = 200
"""The mean stay follows about this many of the last stays."""

_NAMES = ("places", "since", "line", "line-leases", "barred", "stays", "next-turn", "epoch")
_KEYS = {name: f"interviews:admission:{name}" for name in _NAMES}

_ATTEND = lua.load(__file__, "places_attend", uses="places_leave")
_GIVE_BACK = lua.load(__file__, "places_give_back", uses="places_leave")
_FORGET = lua.load(__file__, "places_forget", uses="places_leave")
_STEP_ASIDE = lua.load(__file__, "places_step_aside")
_COUNT = lua.load(__file__, "places_count")


@dataclass(frozen=True, slots=True)
class InLine:
    """A waiting candidate.

    arrived_ms: the position in the order of arrival, 0 for a new candidate; can_enter: this process has room.
    """

    session_id: UUID
    arrived_ms: int
    can_enter: bool


@dataclass(frozen=True, slots=True)
class Position:
    """A candidate's place in the line: 1 is next, 0 has a place now. arrived_ms: see `InLine`."""

    place: int
    arrived_ms: int


@dataclass(frozen=True, slots=True)
class Stays:
    """Recent stays: how many were measured, and their mean length."""

    count: int = 0
    mean_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Roll:
    """Redis's reply to a process that renewed its leases.

    epoch: a new value means that Redis may have lost leases; inside: candidates with a place, over all
    processes; positions: of the candidates in line, in the order given.
    """

    epoch: int
    inside: int
    stays: Stays
    positions: list[Position]


@dataclass(frozen=True, slots=True)
class Renewed:
    """A lease of a candidate. has_place: or else the candidate stands in line.

    ago_s: since the process of the candidate's connection renewed it.
    """

    has_place: bool
    ago_s: float


async def attend(*, inside: Sequence[UUID], in_line: Sequence[InLine]) -> Roll:
    """Renew places and positions in the line, and admit the next candidates.

    Those `inside` have a place from now on, whatever the limit. `in_line` must be in the order of arrival.

    Raises:
        redis.RedisError: Redis is unreachable.
    """
    calls: list[tuple[Sequence[UUID], Sequence[InLine]]] = [
        *((inside[n : n + AT_MOST], ()) for n in range(0, len(inside), AT_MOST)),
        *(((), in_line[n : n + AT_MOST]) for n in range(0, len(in_line), AT_MOST)),
    ]
    rolls = [await _attend(*call) for call in calls or [((), ())]]
    return replace(rolls[-1], positions=[position for roll in rolls for position in roll.positions])


async def _attend(inside: Sequence[UUID], in_line: Sequence[InLine]) -> Roll:
    args: list[Any] = [
        MEASURED_AT_MOST,
        PLACE_LEASE_S * 1000,
        LINE_LEASE_S * 1000,
        EPOCH_LEASE_S * 1000,
        STANDS_STILL_S * 1000,
        LET_IN_PER_S,
        LET_IN_AT_ONCE,
        settings.CANDIDATES_AT_ONCE,
        len(inside),
        *map(str, inside),
    ]
    for who in in_line:
        args += [str(who.session_id), who.arrived_ms, int(who.can_enter)]
    answer = await _ATTEND.run_async(redis_clients.async_client(), list(_KEYS.values()), args)
    epoch, held, count, mean_ms, flat = answer
    positions = [Position(*pair) for pair in zip(flat[::2], flat[1::2], strict=True)]
    return Roll(epoch, held, Stays(count, mean_ms / 1000), positions)


async def give_back(session_id: UUID) -> None:
    """The interview is over: somebody else may come in. Raises redis.RedisError."""
    args = [MEASURED_AT_MOST, str(session_id)]
    await _GIVE_BACK.run_async(redis_clients.async_client(), list(_KEYS.values()), args)


async def step_aside(session_id: UUID) -> None:
    """Bar a waiting candidate who disconnected: the position is kept, those behind need not wait for it.

    Raises redis.RedisError.
    """
    keys = [_KEYS["line"], _KEYS["barred"]]
    await _STEP_ASIDE.run_async(redis_clients.async_client(), keys, [str(session_id)])


def forget(session_id: UUID | str) -> None:
    """Forget a candidate who was erased. Raises redis.RedisError."""
    args = [MEASURED_AT_MOST, str(session_id)]
    _FORGET.run(redis_clients.sync_client(), list(_KEYS.values()), args)


def find(session_id: UUID | str) -> list[str]:
    """Return the keys that name a candidate. Raises redis.RedisError."""
    client, member = redis_clients.sync_client(), str(session_id)
    held = [_KEYS["since"]] if client.hexists(_KEYS["since"], member) else []
    ordered = (_KEYS[name] for name in ("places", "line", "line-leases", "barred"))
    return [*held, *(key for key in ordered if client.zscore(key, member) is not None)]


def renewed(session_ids: Sequence[UUID]) -> list[Renewed | None]:
    """Return the last renewal of each candidate's lease; None: there is no lease. Raises redis.RedisError."""
    if not session_ids:
        return []
    members = [str(session_id) for session_id in session_ids]
    with redis_clients.sync_client().pipeline(transaction=False) as pipe:
        pipe.time()
        pipe.zmscore(_KEYS["places"], members)
        pipe.zmscore(_KEYS["line-leases"], members)
        (seconds, microseconds), held, in_line = pipe.execute()
    now_s = seconds + microseconds / 1e6
    return [_renewed(now_s, *ends) for ends in zip(held, in_line, strict=True)]


def _renewed(now_s: float, held: float | None, in_line: float | None) -> Renewed | None:
    """held, in_line: the ends of both leases, in ms of Redis's clock."""
    if held is not None:
        return Renewed(has_place=True, ago_s=now_s - held / 1000 + PLACE_LEASE_S)
    if in_line is not None:
        return Renewed(has_place=False, ago_s=now_s - in_line / 1000 + LINE_LEASE_S)
    return None


def count() -> tuple[int, int]:
    """How many candidates have a place, and how many wait for one. Raises redis.RedisError."""
    inside, waiting = _COUNT.run(redis_clients.sync_client(), [_KEYS["places"], _KEYS["line-leases"]])
    return inside, waiting
