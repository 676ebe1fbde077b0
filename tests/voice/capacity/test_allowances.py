"""Counts of what somebody may do so often in a window of time."""

import redis

from voice.capacity import allowances
from voice.capacity.allowances import OwnCounts, Policy

POLICY = Policy("tries", limit=2, window_s=60)


async def used(count: int = 1) -> list[int]:
    return [(await allowances.count(POLICY, "ada")).used for _ in range(count)]


async def test_what_is_given_back_does_not_count(clean_redis):
    await used(2)
    await allowances.give_back(POLICY, "ada")

    assert await used() == [2]


async def test_nothing_is_given_back_of_a_window_that_has_ended(clean_redis):
    await allowances.give_back(POLICY, "ada")

    assert clean_redis.keys("*") == []


async def test_both_ways_of_counting_share_a_count(clean_redis):
    await used(2)
    allowance = allowances.count_in_thread(POLICY, "ada")

    assert (allowance.is_exceeded, allowance.is_first_refusal, allowance.remaining) == (True, True, 0)


def test_threads_count_alone_while_redis_is_away(monkeypatch):
    class Away:
        def __getattr__(self, name):
            raise redis.ConnectionError("no")

    monkeypatch.setattr(allowances.redis_clients, "sync_client", Away)
    monkeypatch.setattr(allowances, "_own", OwnCounts())

    assert [allowances.count_in_thread(POLICY, "ada").used for _ in range(2)] == [1, 2]


def test_own_counts_begin_anew_and_do_not_grow_for_ever(monkeypatch):
    counts, now_s = OwnCounts(), 1000.0
    monkeypatch.setattr(allowances.time, "monotonic", lambda: now_s)
    monkeypatch.setattr(allowances, "MAX_OWN_COUNTS", 2)
    assert [counts.count("ada", 60)[0] for _ in range(2)] == [1, 2]

    now_s += 61
    assert counts.count("ada", 60) == (1, 60)
    for name in ("ben", "cleo", "dora"):
        counts.count(name, 60)
    assert len(counts._counts) <= 2
