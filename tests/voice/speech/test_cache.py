import asyncio
import hashlib

import pytest
import redis
import redis.asyncio

from voice import metrics
from voice.infra import redis_clients
from voice.speech import cache
from voice.speech.cache import CachedSpeech

pytestmark = pytest.mark.usefixtures("clean_redis")


def key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def put(name: str, size_bytes: int = 10_000) -> None:
    cache.put(key(name), CachedSpeech(b"x" * size_bytes, {}))


async def has(name: str) -> bool:
    return await cache.get(key(name)) is not None


def counted(outcome: str) -> float:
    return metrics.CACHE_REQUESTS.labels(outcome)._value.get()


@pytest.fixture
def small(settings):
    """A cache for ten items of 10 000 bytes, each with the two bytes of its empty meta."""
    settings.SPEECH_CACHE_MB = 0.10002


async def test_what_was_put_is_got():
    cached = CachedSpeech(bytes(range(256)), {"voice": "piper:en_US", "duration_s": 1.5})

    cache.put(key("a"), cached)

    assert await cache.get(key("a")) == cached
    assert await cache.get(key("b")) is None


async def test_least_recently_used_goes_when_the_bound_is_reached(small):
    for number in range(10):
        put(str(number))
    assert await has("0")  # now "1" is the least recently used

    put("new")

    assert await has("0")
    assert not await has("1")
    assert await has("new")
    statistics = cache.statistics()
    assert (statistics.items, statistics.bytes) == (10, 100_020)


async def test_bound_holds_whatever_the_sizes(small, settings):
    for number in range(60):
        put(str(number), 100 + 150 * number)

        assert cache.statistics().bytes <= settings.SPEECH_CACHE_MB * 1e6
    assert await has("59")


async def test_item_above_a_tenth_of_the_bound_is_not_kept(small):
    put("small")
    put("large", 10_001)

    assert not await has("large")
    assert await has("small")


async def test_same_key_is_counted_once(clean_redis):
    put("a", 5000)
    put("a", 3000)

    statistics = cache.statistics()
    assert (statistics.items, statistics.bytes) == (1, 3002)


async def test_item_has_a_life(clean_redis, settings):
    settings.SPEECH_CACHE_TTL_S = 100
    put("a")

    assert 99_000 < clean_redis.pttl(cache.PREFIX + "item:" + key("a")) <= 100_000


async def test_expired_item_leaves_no_trace(clean_redis, settings):
    settings.SPEECH_CACHE_TTL_S = 0.001
    put("a")
    clean_redis.pexpire(cache.PREFIX + "item:" + key("a"), 0)
    clean_redis.zadd(cache.PREFIX + "expiry", {key("a"): 1})

    settings.SPEECH_CACHE_TTL_S = 100
    put("b", 20)

    for name in ("used", "expiry"):
        assert clean_redis.zcard(cache.PREFIX + name) == 1
    statistics = cache.statistics()
    assert (statistics.items, statistics.bytes) == (1, 22)


async def test_item_that_redis_dropped_is_forgotten_when_it_is_missed(clean_redis):
    put("a")
    put("b", 20)
    clean_redis.delete(cache.PREFIX + "item:" + key("a"))

    assert not await has("a")

    assert cache.statistics().bytes == 22


@pytest.mark.parametrize("lost", ["used", "expiry", "sizes", "counts"])
async def test_lost_bookkeeping_heals(clean_redis, small, lost):
    for number in range(10):
        put(str(number))
    clean_redis.delete(cache.PREFIX + lost)

    for number in range(10, 30):
        put(str(number))

    sizes = clean_redis.hvals(cache.PREFIX + "sizes")
    statistics = cache.statistics()
    assert statistics.bytes == sum(map(int, sizes))
    assert statistics.bytes <= 100_020
    assert len(clean_redis.keys(cache.PREFIX + "item:*")) == statistics.items
    assert await has("29")


async def test_hits_and_misses_are_counted_for_all_processes_and_for_this_one(clean_redis):
    hits, misses = counted("hit"), counted("miss")
    put("a")

    for name in ("a", "a", "a", "b"):
        await has(name)

    statistics = cache.statistics()
    assert (statistics.hits, statistics.misses, statistics.hit_rate) == (3, 1, 0.75)
    assert (counted("hit") - hits, counted("miss") - misses) == (3, 1)


async def test_hit_costs_one_round_trip(clean_redis, monkeypatch):
    put("a")
    assert await has("a")  # Redis has the script from here on
    sent = []
    send = redis.asyncio.Connection.send_packed_command

    async def count(self, command, *args, **options):
        sent.append(command)
        await send(self, command, *args, **options)

    monkeypatch.setattr(redis.asyncio.Connection, "send_packed_command", count)

    assert await has("a")

    assert len(sent) == 1


async def test_many_at_once_are_served(clean_redis):
    put("a")

    assert all(await asyncio.gather(*(has("a") for _ in range(200))))


async def test_redis_away_is_a_miss(monkeypatch):
    away = redis.asyncio.Redis(port=1, retry=None)
    monkeypatch.setattr(redis_clients, "async_client", lambda: away)
    monkeypatch.setattr(redis_clients, "sync_client", lambda: redis.Redis(port=1, retry=None))
    misses = counted("miss")

    put("a")

    assert not await has("a")
    assert counted("miss") == misses + 1
    await away.aclose()


async def test_empty_cache_has_a_hit_rate_of_none():
    assert cache.statistics().hit_rate == 0
