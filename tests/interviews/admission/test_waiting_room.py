"""Admission and the order of the waiting room; each `Door` represents a process."""

import asyncio
import gc
from uuid import UUID, uuid4

import pytest
import redis

from interviews.admission import places, waiting_room
from interviews.admission.estimate import estimate_s
from interviews.admission.places import LET_IN_AT_ONCE, LINE_LEASE_S, PLACE_LEASE_S, InLine, Stays
from interviews.admission.waiting_room import Door, Visit, Wait
from voice.capacity import shedding
from voice.infra import redis_clients

pytestmark = pytest.mark.usefixtures("clean_redis", "only_when_asked")

EXPECTED_S = 600
PLACES, SINCE = "interviews:admission:places", "interviews:admission:since"
LEASES = "interviews:admission:line-leases"


class Guest:
    """A candidate's connection in a test."""

    def __init__(self, door: Door, session_id: UUID | None = None) -> None:
        self.door = door
        self.session_id = session_id or uuid4()
        self.told: list[Wait] = []
        self.tellings: asyncio.Queue[Wait] = asyncio.Queue()
        self.came_in = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.visit = Visit(self.session_id, expected_s=EXPECTED_S, tell=self._tell, let_in=self._let_in)

    async def _tell(self, wait: Wait) -> None:
        self.told.append(wait)
        self.tellings.put_nowait(wait)
        await self.reads.wait()

    async def _let_in(self) -> None:
        self.came_in.set()

    @property
    def place(self) -> int:
        """The place in the line; 0 means inside."""
        return self.visit.wait.place if self.visit.wait else 0


async def arrive(door: Door, *, has_begun: bool = False, session_id: UUID | None = None) -> Guest:
    guest = Guest(door, session_id)
    await door.enter(guest.visit, has_begun=has_begun)
    return guest


async def come_back(guest: Guest, door: Door) -> Guest:
    await waiting_room.leave(guest.visit)
    return await arrive(door, session_id=guest.session_id)


def lapse(client: redis.Redis, key: str) -> None:
    """Expire all leases, as if none had been renewed."""
    for member in client.zrange(key, 0, -1):
        client.zadd(key, {member: client.time()[0] * 1000 - 1000})


@pytest.fixture
def only_when_asked(monkeypatch, clean_redis):
    """Disable the doors' own rounds; the first epoch is long over."""
    clean_redis.set("interviews:admission:epoch", 1)
    monkeypatch.setattr(waiting_room, "REFRESH_EVERY_S", 3600)


@pytest.fixture
def limit(settings):
    def limit(at_once: int = 0, per_process: int = 0) -> None:
        settings.CANDIDATES_AT_ONCE, settings.CANDIDATES_PER_PROCESS = at_once, per_process

    return limit


@pytest.fixture
def no_newcomers(monkeypatch):
    """Load shedding of this process is at its last step."""
    monkeypatch.setattr(shedding, "is_off", lambda step: True)


@pytest.fixture
async def doors():
    """Three processes."""
    doors = [Door() for _ in range(3)]
    yield doors
    for door in doors:
        for visit in list(door._visits):
            await waiting_room.leave(visit)


# The limits


async def test_candidate_above_the_limit_waits(doors, limit):
    limit(at_once=2)
    guests = [await arrive(door) for door in (*doors, doors[0])]

    assert [guest.place for guest in guests] == [0, 0, 1, 2]
    assert waiting_room.numbers() == (2, 2)


async def test_candidate_above_the_limit_of_the_process_waits(doors, limit):
    limit(per_process=1)
    guests = [await arrive(doors[n]) for n in (0, 0, 1)]

    assert [guest.place for guest in guests] == [0, 1, 0]


async def test_nobody_waits_without_a_limit(doors, limit):
    limit()

    assert [(await arrive(doors[0])).place for _ in range(50)] == [0] * 50


async def test_newcomers_wait_while_the_process_retreats(doors, limit, no_newcomers):
    limit()

    assert (await arrive(doors[0])).place == 1


async def test_interview_under_way_never_waits(doors, limit, no_newcomers):
    limit(at_once=1, per_process=1)
    await arrive(doors[0], has_begun=True)
    newcomer = await arrive(doors[0])
    others = [await arrive(doors[0], has_begun=True) for _ in range(3)]

    assert [guest.place for guest in others] == [0, 0, 0]
    assert newcomer.place == 1
    assert waiting_room.numbers() == (4, 1)


async def test_candidate_who_had_a_place_until_now_comes_in_again(doors, limit, monkeypatch):
    limit(at_once=1)
    guest = await arrive(doors[0])
    await arrive(doors[1])
    monkeypatch.setattr(shedding, "is_off", lambda step: True)

    assert (await come_back(guest, doors[2])).place == 0


async def test_two_connections_of_a_candidate_are_one_place(doors, limit):
    limit(at_once=2)
    guest = await arrive(doors[0])
    await arrive(doors[1], session_id=guest.session_id)

    assert (await arrive(doors[2])).place == 0


async def test_only_audio_to_deliver_takes_no_place(limit, clean_redis):
    limit(at_once=1)
    guest = Guest(Door())
    calls = {"expected_s": 0.0, "tell": guest._tell, "let_in": guest._let_in}
    visit = await waiting_room.enter(uuid4(), status="finished", **calls)

    assert visit.wait is None
    assert waiting_room.numbers() == (0, 0)
    await waiting_room.leave(visit)


# The order


async def test_first_come_is_first_served_over_all_processes(doors, limit):
    limit(at_once=1)
    inside = await arrive(doors[0])
    first, second = await arrive(doors[1]), await arrive(doors[2])
    await waiting_room.finish(inside.visit)

    await doors[2].refresh()
    assert (first.place, second.place) == (1, 2)
    await doors[1].refresh()
    assert first.place == 0
    await doors[2].refresh()
    assert second.place == 1


async def test_newcomer_stands_behind_those_who_wait(doors, limit):
    limit(at_once=1)
    inside = await arrive(doors[0])
    await arrive(doors[1])
    await waiting_room.finish(inside.visit)

    assert (await arrive(doors[2])).place == 2


async def test_place_in_the_line_survives_a_reload(doors, limit):
    limit(at_once=1)
    await arrive(doors[0])
    first, second = await arrive(doors[1]), await arrive(doors[1])

    assert (await come_back(first, doors[2])).place == 1
    await doors[1].refresh()
    assert second.place == 2


async def test_who_went_away_holds_up_nobody(doors, limit):
    limit(at_once=1)
    inside = await arrive(doors[0])
    away, next_one = await arrive(doors[1]), await arrive(doors[2])
    await waiting_room.leave(away.visit)
    await waiting_room.finish(inside.visit)

    await doors[2].refresh()
    assert next_one.place == 0


async def test_process_without_room_holds_up_nobody(doors, limit):
    limit(at_once=3, per_process=1)
    full, inside, _ = [await arrive(door) for door in doors]
    at_full, at_other = await arrive(doors[0]), await arrive(doors[1])
    await waiting_room.finish(inside.visit)

    await doors[0].refresh()
    await doors[1].refresh()
    assert (at_full.place, at_other.place) == (1, 0)
    await waiting_room.finish(full.visit)
    await doors[0].refresh()
    assert at_full.place == 0


async def test_line_moves_at_a_bounded_rate(doors, limit):
    limit(at_once=1)
    inside = await arrive(doors[0])
    guests = [await arrive(doors[0]) for _ in range(LET_IN_AT_ONCE + 5)]
    await waiting_room.finish(inside.visit)
    limit()

    await doors[0].refresh()
    assert [guest.place for guest in guests] == [0] * LET_IN_AT_ONCE + [1, 2, 3, 4, 5]


# Notifications


async def test_waiting_candidate_is_told_and_let_in_without_asking(doors, limit, monkeypatch):
    monkeypatch.setattr(waiting_room, "REFRESH_EVERY_S", 0.01)
    limit(at_once=1)
    inside = await arrive(doors[0])
    first, second = await arrive(doors[1]), await arrive(doors[1])
    await waiting_room.finish(inside.visit)

    await asyncio.wait_for(first.came_in.wait(), 120)
    assert [(await asyncio.wait_for(second.tellings.get(), 120)).place for _ in range(2)] == [2, 1]
    assert not second.came_in.is_set()


async def test_candidate_is_told_only_what_has_changed(doors, limit):
    limit(at_once=1)
    await arrive(doors[0])
    guest = await arrive(doors[0])
    for _ in range(3):
        await doors[0].refresh()
        await asyncio.sleep(0)

    assert guest.told == [guest.visit.wait]


async def test_candidate_who_does_not_read_holds_up_nobody(doors, limit):
    limit(at_once=1)
    inside = await arrive(doors[0])
    slow = await arrive(doors[0])
    slow.reads.clear()
    other = await arrive(doors[0])
    await waiting_room.finish(inside.visit)

    await doors[0].refresh()
    await asyncio.sleep(0)
    assert not slow.came_in.is_set()
    assert other.told[-1].place == 1
    slow.reads.set()
    await asyncio.wait_for(slow.came_in.wait(), 120)


async def test_connection_that_ended_is_told_nothing_more(doors, limit):
    limit(at_once=1)
    inside = await arrive(doors[0])
    guest = await arrive(doors[0])
    await waiting_room.finish(inside.visit)
    await doors[0].refresh()
    await waiting_room.leave(guest.visit)
    await asyncio.sleep(0)

    assert not guest.came_in.is_set()


async def test_process_looks_only_while_somebody_is_there(doors, limit):
    limit()
    guest = await arrive(doors[0])
    refreshing = doors[0]._refreshing
    await waiting_room.leave(guest.visit)
    await asyncio.wait([refreshing], timeout=120)

    assert refreshing.cancelled()


async def test_connection_that_ended_without_leaving_is_forgotten(doors, limit):
    limit()
    await arrive(doors[0])
    gc.collect()

    assert doors[0]._inside() == []


# Leases


async def test_place_is_free_some_time_after_the_tab_was_closed(doors, limit, clean_redis):
    limit(at_once=1)
    guest = await arrive(doors[0])
    await waiting_room.leave(guest.visit)
    assert (await arrive(doors[1])).place == 1
    lapse(clean_redis, PLACES)

    await doors[1].refresh()
    assert waiting_room.numbers() == (1, 0)


async def test_position_is_lost_some_time_after_the_tab_was_closed(doors, limit, clean_redis):
    limit(at_once=1)
    await arrive(doors[0])
    away, other = await arrive(doors[1]), await arrive(doors[1])
    await waiting_room.leave(away.visit)
    lapse(clean_redis, LEASES)

    await doors[1].refresh()
    assert other.place == 1
    assert waiting_room.numbers() == (1, 1)


async def test_places_and_positions_are_renewed_while_the_connections_last(doors, limit, clean_redis):
    limit(at_once=1)
    await arrive(doors[0])
    guest = await arrive(doors[0])
    for key in (PLACES, LEASES):
        lapse(clean_redis, key)

    await doors[0].refresh()
    assert waiting_room.numbers() == (1, 1)
    assert guest.place == 1


async def test_clock_put_back_keeps_nobody_longer(doors, limit, clean_redis):
    limit(at_once=1)
    await arrive(doors[0])
    away = await arrive(doors[0])
    await waiting_room.leave(away.visit)
    for key, lease_s in ((PLACES, PLACE_LEASE_S), (LEASES, LINE_LEASE_S)):
        (member,) = clean_redis.zrange(key, 0, -1)
        clean_redis.zadd(key, {member: (clean_redis.time()[0] + 3600) * 1000})
        await doors[0].refresh()
        assert clean_redis.zscore(key, member) <= (clean_redis.time()[0] + lease_s + 1) * 1000


async def test_line_moves_after_the_clock_was_put_back(doors, limit, clean_redis):
    limit(at_once=1)
    inside = await arrive(doors[0])
    guest = await arrive(doors[0])
    await waiting_room.finish(inside.visit)
    clean_redis.set("interviews:admission:next-turn", (clean_redis.time()[0] + 3600) * 1000)

    await doors[0].refresh()
    assert guest.place == 0


async def test_more_candidates_than_one_call_takes_keep_their_order(limit):
    limit(at_once=600)
    inside, newcomers = ([uuid4() for _ in range(600)] for _ in range(2))
    in_line = [InLine(session_id, 0, can_enter=True) for session_id in newcomers]

    roll = await places.attend(inside=inside, in_line=in_line)
    assert roll.inside == 600
    assert [position.place for position in roll.positions] == list(range(1, 601))


# Redis


async def test_redis_that_lost_everything_is_told_again_in_the_same_order(doors, limit, clean_redis):
    limit(at_once=2)
    inside = [await arrive(doors[0]), await arrive(doors[1])]
    waiting = [await arrive(doors[n]) for n in (2, 0, 1, 2)]
    clean_redis.flushdb()

    for door in (*doors, *doors):  # the last has no candidate inside, but the first one in the line
        await door.refresh()
    assert [guest.place for guest in inside] == [0, 0]
    assert [guest.place for guest in waiting] == [1, 2, 3, 4]
    assert waiting_room.numbers() == (2, 4)


async def test_line_stands_still_after_all_leases_ran_out_together(doors, limit, clean_redis):
    limit(at_once=2)
    guests = [await arrive(doors[n]) for n in (0, 1, 0)]
    lapse(clean_redis, PLACES)  # Redis was unreachable for a long time, or its clock jumped
    clean_redis.delete("interviews:admission:epoch")

    for door in doors:
        await door.refresh()
    assert [guest.place for guest in guests] == [0, 0, 1]


async def test_place_is_kept_though_the_connection_and_all_data_of_redis_are_lost(doors, limit, clean_redis):
    limit(at_once=2)
    guest = await arrive(doors[0])
    _, waiting = await arrive(doors[0]), await arrive(doors[0])
    await waiting_room.leave(guest.visit)
    clean_redis.flushdb()

    await doors[0].refresh()
    assert (await arrive(doors[1], session_id=guest.session_id)).place == 0
    assert waiting.place == 1


async def test_nobody_is_refused_while_redis_is_away(doors, limit, monkeypatch):
    limit(at_once=1)
    inside, waiting = await arrive(doors[0]), await arrive(doors[0])

    class Away:
        async def evalsha(self, *arguments):
            raise redis.ConnectionError("no")

    with monkeypatch.context() as patched:
        patched.setattr(redis_clients, "async_client", Away)
        newcomer = await arrive(doors[1])
        await doors[0].refresh()
        await waiting_room.finish(inside.visit)
    assert newcomer.place == 0
    assert waiting.place == 1

    await doors[1].refresh()
    await doors[0].refresh()
    assert waiting_room.numbers().waiting == 1  # two are inside, because the new candidate stays


# The estimate


@pytest.mark.parametrize(
    ("place", "inside", "expected_s", "told_s"),
    [
        (1, 100, 600, 10),  # 6 s
        (10, 100, 600, 60),
        (11, 100, 600, 120),  # 66 s
        (100, 2000, 1200, 60),
        (1000, 2000, 1200, 600),
        (600, 2000, 1, 60),  # the line's highest rate
        (1, 0, 600, 600),
    ],
)
def test_estimate_is_place_times_length_through_those_inside(place, inside, expected_s, told_s):
    assert estimate_s(place, inside=inside, stays=Stays(), expected_s=expected_s) == told_s


def test_estimate_follows_what_was_measured():
    stays = Stays(count=180, mean_s=300)

    assert estimate_s(100, inside=100, stays=stays, expected_s=1300) == 420  # 400 s, rounded up to minutes


async def test_time_a_place_is_held_is_measured(doors, limit, clean_redis):
    limit(at_once=2)
    finished, closed = await arrive(doors[0]), await arrive(doors[0])
    now_ms = clean_redis.time()[0] * 1000
    clean_redis.hset(SINCE, str(finished.session_id), now_ms - 300_000)
    clean_redis.hset(SINCE, str(closed.session_id), now_ms - PLACE_LEASE_S * 1000 - 100_000)
    await waiting_room.finish(finished.visit)
    await waiting_room.leave(closed.visit)
    clean_redis.zadd(PLACES, {str(closed.session_id): now_ms})  # last seen when its lease began

    roll = await places.attend(inside=[], in_line=[])
    assert roll.stays.count == 2
    assert roll.stays.mean_s == pytest.approx(200, abs=2)
    assert roll.inside == 0
