"""Limits of one caller's requests, and of connections."""

import re
from contextlib import AsyncExitStack

import pytest
import redis

from voice import metrics
from voice.callers import Caller
from voice.capacity import allowances, rate_limits
from voice.errors import Busy, RateLimited

ADA = Caller("key:ada", "organisation:1", "Ada")
BEN = Caller("key:ben", "organisation:1", "Ben")

pytestmark = pytest.mark.usefixtures("clean_redis")


@pytest.fixture
def limited(settings):
    """Set limits by name."""

    def limit(**by_name) -> None:
        settings.VOICE = settings.VOICE | by_name

    return limit


@pytest.fixture
def no_redis(monkeypatch):
    """Every command to Redis fails."""

    class Away:
        def __getattr__(self, name):
            async def fail(*args):
                raise redis.ConnectionError("no")

            return fail

    monkeypatch.setattr(rate_limits.redis_clients, "async_client", Away)
    monkeypatch.setattr(allowances, "_own", allowances.OwnCounts())


# Requests


async def test_allowance_counts_down(limited):
    limited(REQUESTS_PER_MINUTE=3)

    assert [(await rate_limits.count_request(ADA)).remaining for _ in range(3)] == [2, 1, 0]


async def test_request_beyond_the_limit_is_refused_until_the_minute_ends(limited):
    limited(REQUESTS_PER_MINUTE=1)
    await rate_limits.count_request(ADA)

    with pytest.raises(RateLimited, match="At most 1 requests") as refused:
        await rate_limits.count_request(ADA)
    assert refused.value.code == "rate_limited"
    assert 0 < refused.value.retry_after_s <= rate_limits.WINDOW_S


async def test_new_minute_begins_anew(limited, clean_redis):
    limited(REQUESTS_PER_MINUTE=1)
    await rate_limits.count_request(ADA)
    assert 0 < clean_redis.ttl("voice:requests:key:ada") <= rate_limits.WINDOW_S
    clean_redis.delete("voice:requests:key:ada")  # Redis expires it after a minute

    assert (await rate_limits.count_request(ADA)).remaining == 0


async def test_callers_do_not_share_an_allowance(limited):
    limited(REQUESTS_PER_MINUTE=1)
    await rate_limits.count_request(ADA)

    assert (await rate_limits.count_request(BEN)).remaining == 0


async def test_allowance_has_the_usual_headers(limited):
    limited(REQUESTS_PER_MINUTE=10)
    headers = (await rate_limits.count_request(ADA)).headers

    assert headers["RateLimit-Policy"] == '"requests";q=10;w=60'
    assert re.fullmatch(r'"requests";r=9;t=\d+', headers["RateLimit"])
    assert headers["RateLimit-Limit"] == "10"
    assert headers["RateLimit-Remaining"] == "9"
    assert 0 < int(headers["RateLimit-Reset"]) <= rate_limits.WINDOW_S


async def test_process_counts_alone_while_redis_is_away(no_redis, limited):
    limited(REQUESTS_PER_MINUTE=2)

    assert [(await rate_limits.count_request(ADA)).remaining for _ in range(2)] == [1, 0]
    with pytest.raises(RateLimited):
        await rate_limits.count_request(ADA)
    assert (await rate_limits.count_request(BEN)).remaining == 1


async def test_refusals_are_counted(limited):
    limited(REQUESTS_PER_MINUTE=0)
    refused = metrics.REFUSED.labels(reason="rate_limited")
    before = refused._value.get()
    with pytest.raises(RateLimited):
        await rate_limits.count_request(ADA)

    assert refused._value.get() == before + 1


# Connections


async def test_caller_has_as_many_connections_as_allowed(limited):
    limited(CONNECTIONS_PER_KEY=2)
    async with rate_limits.connection(ADA), rate_limits.connection(ADA):
        with pytest.raises(Busy, match="2 connections") as refused:
            async with rate_limits.connection(ADA):
                pass
        async with rate_limits.connection(BEN):
            pass

    assert refused.value.retry_after_s == rate_limits.PROCESS_RETRY_S


async def test_process_has_as_many_connections_as_allowed(limited):
    limited(CONNECTIONS=1)
    async with rate_limits.connection(ADA):
        with pytest.raises(Busy, match="1 connections"):
            async with rate_limits.connection(BEN):
                pass


async def test_place_is_given_back_whatever_happens(limited, clean_redis):
    limited(CONNECTIONS=1, CONNECTIONS_PER_KEY=1)
    for _ in range(3):
        with pytest.raises(ValueError):
            async with rate_limits.connection(ADA):
                raise ValueError

    assert rate_limits._connections == 0
    assert clean_redis.keys("voice:connections:*") == []


async def test_refused_connection_takes_no_place(limited):
    limited(CONNECTIONS_PER_KEY=1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(rate_limits.connection(ADA))
        for _ in range(3):
            with pytest.raises(Busy):
                await stack.enter_async_context(rate_limits.connection(ADA))

        assert rate_limits._connections == 1


async def test_places_of_a_process_that_died_are_free_after_a_while(limited, clean_redis):
    limited(CONNECTIONS_PER_KEY=1)
    now_s = clean_redis.time()[0]
    clean_redis.zadd("voice:connections:key:ada", {"of a process that died": now_s - 1})

    async with rate_limits.connection(ADA):
        assert clean_redis.zcard("voice:connections:key:ada") == 1


async def test_place_is_renewed_while_the_connection_lasts(limited, clean_redis, monkeypatch):
    limited(CONNECTIONS_PER_KEY=1)
    async with rate_limits.connection(ADA):
        (place,) = clean_redis.zrange("voice:connections:key:ada", 0, -1)
        clean_redis.zadd("voice:connections:key:ada", {place: 1})  # close to expiry
        await rate_limits._enter(ADA, place.decode())

        assert clean_redis.zscore("voice:connections:key:ada", place) > clean_redis.time()[0]


async def test_connections_are_let_in_while_redis_is_away(no_redis, limited):
    limited(CONNECTIONS_PER_KEY=1, CONNECTIONS=2)
    async with rate_limits.connection(ADA), rate_limits.connection(ADA):
        with pytest.raises(Busy):
            async with rate_limits.connection(ADA):
                pass
