"""Admission. Above the limits, and while this process sheds new candidates, a new candidate waits in line.

    visit = await waiting_room.enter(session.pk, status=session.status, expected_s=…, tell=…, let_in=…)
    await waiting_room.leave(visit)     # the connection is gone

An interview under way never waits, nor does a candidate whose place is still leased. One task in each
process renews its candidates every `REFRESH_EVERY_S` and admits the next ones; frames and messages cost
nothing. `interviews.admission.places` holds what all processes share.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from typing import NamedTuple
from uuid import UUID
from weakref import WeakSet

import redis
from django.conf import settings

from interviews.admission import places
from interviews.admission.estimate import estimate_s
from interviews.admission.places import PLACE_LEASE_S, InLine, Position, Roll
from interviews.states import OPEN_SESSION_STATUSES, SessionStatus
from voice.capacity import shedding
from voice.capacity.shedding import Step
from voice.infra import correlation, redis_clients

logger = logging.getLogger(__name__)

REFRESH_EVERY_S = 3.0
CONNECTED_WITHIN_S = 2 * REFRESH_EVERY_S + 2
"""Whose lease is older has no connection: its process missed two rounds. A reload is no absence."""


class Wait(NamedTuple):
    """The message for a waiting candidate. place: 1 is next; estimate_s: see `estimate_s`."""

    place: int
    estimate_s: int


class Numbers(NamedTuple):
    """Candidates with a place and candidates in the line, over all processes."""

    inside: int
    waiting: int


class Visit:
    """A candidate's connection to this process: inside, or in the line with a `wait`."""

    def __init__(
        self,
        session_id: UUID,
        *,
        expected_s: float,
        tell: Callable[[Wait], Awaitable[None]],
        let_in: Callable[[], Awaitable[None]],
    ) -> None:
        """See `enter`."""
        self.session_id = session_id
        self.wait: Wait | None = None
        self.arrived_ms = 0
        self.door: Door | None = None
        self._expected_s = expected_s
        self._context = copy_context()  # whoever moves the line moves others' visits, too
        self._tell, self._let_in = tell, let_in
        self._told: Wait | None = None
        self._telling: asyncio.Task[None] | None = None

    def stand(self, roll: Roll, position: Position) -> None:
        """Set the current position and notify the candidate, in a task of its own."""
        self.arrived_ms = position.arrived_ms
        self.wait = None
        if position.place:
            inside, stays = roll.inside, roll.stays
            seconds = estimate_s(position.place, inside=inside, stays=stays, expected_s=self._expected_s)
            self.wait = Wait(position.place, seconds)
        if self._told != self.wait and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._say(), context=self._context)

    async def _say(self) -> None:
        """Send the latest change only: a slow client skips the ones in between."""
        while self.wait is not None and self.wait != self._told:
            self._told = self.wait
            await self._tell(self.wait)
        if self.wait is None:
            self._told = None
            await self._let_in()

    def end(self) -> None:
        """Stop notifying: the connection is gone."""
        if self._telling is not None:
            self._telling.cancel()


async def enter(
    session_id: UUID,
    *,
    status: str,
    expected_s: float,
    tell: Callable[[Wait], Awaitable[None]],
    let_in: Callable[[], Awaitable[None]],
) -> Visit:
    """Take a place, or stand in line: then the visit has a `wait`. While Redis is down, everyone is admitted.

    expected_s: how long the interview takes; tell: called with the wait, and again whenever it has changed;
    let_in: called once, after a wait, when there is a place. Both run beside the connection's own messages.
    """
    visit = Visit(session_id, expected_s=expected_s, tell=tell, let_in=let_in)
    if status in OPEN_SESSION_STATUSES:  # else there is only audio to deliver, which needs no place
        door = redis_clients.of_loop("admission", Door)
        await door.enter(visit, has_begun=status != SessionStatus.CHECKING)
    return visit


async def finish(visit: Visit) -> None:
    """Free the place of a finished interview whose connection is still open."""
    if visit.door is not None and visit.door.remove(visit):
        with suppress(redis.RedisError):  # then the lease runs out
            await places.give_back(visit.session_id)


async def leave(visit: Visit) -> None:
    """Leave: the connection is gone. Its place or its position in the line is kept for a while."""
    visit.end()
    if visit.door is not None and visit.door.remove(visit) and visit.wait is not None:
        with suppress(redis.RedisError):  # then the lease runs out
            await places.step_aside(visit.session_id)


def numbers() -> Numbers:
    """Return how many candidates are inside and how many wait, in all processes. Raises redis.RedisError."""
    return Numbers(*places.count())


class Connection(NamedTuple):
    """Whether a candidate is connected now, and stands in line. lost_s: since the connection was lost."""

    is_open: bool
    is_in_line: bool = False
    lost_s: float | None = None


def connections(session_ids: Sequence[UUID]) -> list[Connection]:
    """Return the connection of each candidate, over all processes. Raises redis.RedisError.

    It costs candidates nothing: their processes renew the leases of places and of the line anyway.
    """
    return [_connection(renewed) for renewed in places.renewed(session_ids)]


def _connection(renewed: places.Renewed | None) -> Connection:
    if renewed is None:
        return Connection(is_open=False)
    is_open = renewed.ago_s < CONNECTED_WITHIN_S
    return Connection(is_open, not renewed.has_place, None if is_open else renewed.ago_s)


class Door:
    """The visits of one event loop, and the task that serves them while there are any."""

    def __init__(self) -> None:
        self._visits: WeakSet[Visit] = WeakSet()  # weak: a connection that failed may never call `leave`
        self._left: dict[UUID, float] = {}
        self._epoch = 0
        self._refreshing: asyncio.Task[None] | None = None

    async def enter(self, visit: Visit, *, has_begun: bool) -> None:
        """See the module's `enter`. has_begun: the interview is under way and never waits."""
        if has_begun:
            await self._attend([visit.session_id])
        else:
            newcomer = InLine(visit.session_id, 0, can_enter=self._room() > len(self._waiting()))
            roll = await self._attend([], [newcomer])
            if roll is not None:
                visit.stand(roll, roll.positions[0])
        visit.door = self
        self._visits.add(visit)
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = correlation.task_for_all(self._refresh_repeatedly())

    def remove(self, visit: Visit) -> bool:
        """Remove the visit. Return whether it was present."""
        if visit not in self._visits:
            return False
        self._visits.remove(visit)
        if visit.wait is None:
            self._left[visit.session_id] = time.monotonic()
        if not self._visits and self._refreshing is not None:
            self._refreshing.cancel()
            self._refreshing = None
        return True

    async def _refresh_repeatedly(self) -> None:
        while self._refreshing is asyncio.current_task():
            await asyncio.sleep(REFRESH_EVERY_S)
            await self.refresh()

    async def refresh(self) -> None:
        """Renew the leases, admit the next candidates and notify the others of their position."""
        self._left_lately()
        waiting, room = self._waiting(), self._room()
        in_line = [InLine(visit.session_id, visit.arrived_ms, n < room) for n, visit in enumerate(waiting)]
        roll = await self._attend(self._inside(), in_line)
        if roll is None:
            return
        for visit, position in zip(waiting, roll.positions, strict=True):
            if visit in self._visits:
                visit.stand(roll, position)

    async def _attend(self, inside: Sequence[UUID], in_line: Sequence[InLine] = ()) -> Roll | None:
        """Renew in Redis. After a new epoch, also renew the candidates who left and still have a place."""
        try:
            roll = await places.attend(inside=inside, in_line=in_line)
            if roll.epoch != self._epoch:
                self._epoch = roll.epoch
                await places.attend(inside=self._left_lately(), in_line=[])
        except redis.RedisError as error:
            logger.warning("admission: Redis is not reached (%s)", type(error).__name__)
            return None  # everyone is admitted
        return roll

    def _left_lately(self) -> list[UUID]:
        self._left = {who: at for who, at in self._left.items() if at > time.monotonic() - PLACE_LEASE_S}
        return list(self._left)

    def _waiting(self) -> list[Visit]:
        """Waiting visits in the order of arrival."""
        return sorted((v for v in self._visits if v.wait is not None), key=lambda visit: visit.arrived_ms)

    def _inside(self) -> list[UUID]:
        return list({visit.session_id for visit in self._visits if visit.wait is None})

    def _room(self) -> float:
        """Return how many more candidates this process can admit."""
        if shedding.is_off(Step.NEWCOMERS):
            return 0
        return (settings.CANDIDATES_PER_PROCESS or math.inf) - len(self._inside())
