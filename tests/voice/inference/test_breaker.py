"""The breaker of an engine. Redis measures its time, so tests age the key instead of waiting."""

import multiprocessing

import pytest
import redis

from voice.engines import registry
from voice.engines.registry import EngineConfig
from voice.errors import EngineUnavailable, TransientFailure
from voice.inference import breaker
from voice.inference.breaker import Breaker, EngineOpen

HASH, OPEN, PROBE = breaker.keys_of("synthesis", "piper")


@pytest.fixture(autouse=True)
def _asks_redis_each_time(clean_redis, monkeypatch):
    monkeypatch.setattr(breaker, "CLOSED_FOR_S", 0)


class Counting:
    """A client that counts the Lua scripts it ran."""

    def __init__(self, client):
        self._client, self.calls = client, 0
        self.script_load = client.script_load

    def evalsha(self, *args):
        answer = self._client.evalsha(*args)
        self.calls += 1
        return answer


def piper(**options) -> Breaker:
    """The breaker of one engine in one process."""
    return Breaker("synthesis", "piper", **options)


def fail(seen: Breaker, times: int = 5) -> None:
    for _ in range(times):
        seen.admit().failed(TransientFailure("the vendor answered 503"))


def let_time_pass(clean_redis) -> None:
    """End the breaker's open time."""
    assert clean_redis.pttl(OPEN) > 0, "it is not open"
    clean_redis.pexpire(OPEN, 0)


@pytest.fixture
def half_open(clean_redis):
    """The breaker after its open time, before the first call."""
    seen = piper()
    fail(seen)
    let_time_pass(clean_redis)
    return seen


def test_breaker_opens_after_five_failures_in_a_row():
    seen = piper()

    fail(seen, 4)
    assert seen.state().name == "closed"
    fail(seen, 1)

    with pytest.raises(EngineOpen, match=r"left alone for 60 s.*the vendor answered 503") as refused:
        seen.admit()
    assert refused.value.retry_after_s == 60
    state = seen.state()
    assert (state.name, state.failures) == ("open", 5)
    assert 59 < state.retry_after_s <= 60


@pytest.mark.parametrize("open_s", [0, 0.0001])
def test_breaker_may_be_open_for_next_to_no_time(settings, clean_redis, open_s):
    settings.BREAKER_OPEN_S = open_s
    seen = piper()
    fail(seen)
    clean_redis.delete(OPEN)  # a millisecond has passed

    for _ in range(2):
        seen.admit().failed(TransientFailure("503"))
        assert not clean_redis.exists(PROBE)
        assert seen.state().failures > 5
        clean_redis.delete(OPEN)


def test_success_between_failures_starts_the_count_again():
    seen = piper()

    fail(seen, 4)
    seen.admit().succeeded()
    fail(seen, 4)

    assert seen.state().name == "closed"


def test_failures_of_two_processes_are_counted_together():
    one, other = piper(), piper()

    fail(one, 3)
    fail(other, 2)

    for seen in (one, other):
        with pytest.raises(EngineOpen):
            seen.admit()


def _fail_elsewhere(times):
    fail(piper(), times)


def test_breaker_that_another_process_opened_is_open_here(clean_redis):
    elsewhere = multiprocessing.get_context("spawn").Process(target=_fail_elsewhere, args=(5,))
    elsewhere.start()
    elsewhere.join(120)

    assert elsewhere.exitcode == 0
    with pytest.raises(EngineOpen):
        piper().admit()


def test_directions_and_engines_have_breakers_of_their_own():
    fail(piper())

    Breaker("synthesis", "espeak").admit()
    Breaker("recognition", "piper").admit()


def test_numbers_are_those_of_the_settings(settings):
    settings.BREAKER_FAILURES, settings.BREAKER_OPEN_S = 2, 7
    seen = piper()

    fail(seen, 2)

    assert 6 < seen.state().retry_after_s <= 7


def test_half_open_breaker_lets_one_probe_through(half_open):
    assert half_open.state().name == "half_open"
    half_open.admit()

    with pytest.raises(EngineOpen, match="right now"):
        piper().admit()


def test_next_probe_passes_after_the_first_is_done(half_open):
    half_open.admit().succeeded()

    piper().admit()

    assert half_open.state().name == "half_open"
    assert half_open.state().successes == 1


def test_two_good_probes_close_the_breaker(half_open, clean_redis):
    for _ in range(2):
        half_open.admit().succeeded()

    assert half_open.state().name == "closed"
    assert not clean_redis.exists(HASH, OPEN, PROBE)
    half_open.admit()
    half_open.admit()  # many calls at once


def test_bad_probe_opens_the_breaker_again(half_open):
    half_open.admit().succeeded()
    half_open.admit().failed(TransientFailure("still away"))

    state = half_open.state()
    assert (state.name, state.reason) == ("open", "still away")
    with pytest.raises(EngineOpen):
        half_open.admit()


def test_successes_before_a_bad_probe_do_not_count_after_it(half_open, clean_redis):
    half_open.admit().succeeded()
    half_open.admit().failed(TransientFailure("still away"))
    let_time_pass(clean_redis)

    half_open.admit().succeeded()

    assert half_open.state().name == "half_open"


def test_probe_that_says_nothing_of_the_engine_lets_the_next_through(half_open):
    half_open.admit().released()

    half_open.admit().succeeded()

    assert half_open.state().successes == 1


def test_probe_whose_process_died_blocks_until_its_lease_ends(half_open, clean_redis, settings):
    half_open.admit()
    assert 0 < clean_redis.pttl(PROBE) <= settings.JOB_DEADLINE_S * 1000

    clean_redis.pexpire(PROBE, 0)

    half_open.admit()


def test_probe_that_outlived_its_lease_decides_nothing(half_open, clean_redis):
    late = half_open.admit()
    clean_redis.pexpire(PROBE, 0)
    current = half_open.admit()

    late.failed(TransientFailure("too late"))
    late.succeeded()

    assert half_open.state().name == "half_open"
    assert half_open.state().successes == 0
    current.succeeded()
    assert half_open.state().successes == 1


def test_calls_under_way_when_the_breaker_opened_decide_nothing(clean_redis):
    seen = piper()
    good, bad = seen.admit(), seen.admit()
    fail(seen)
    left = clean_redis.pttl(OPEN)

    good.succeeded()
    bad.failed(TransientFailure("one more"))

    assert seen.state().name == "open"
    assert clean_redis.pttl(OPEN) <= left


def test_reset_closes_at_once():
    seen = piper()
    fail(seen)

    piper().reset()

    seen.admit()
    assert seen.state().failures == 0


def test_breaker_forgets_what_was_long_ago(clean_redis):
    fail(piper(), 1)

    assert 0 < clean_redis.ttl(HASH) <= breaker.FORGOTTEN_AFTER_S


def test_happy_path_asks_redis_once_a_second_at_most(clean_redis, monkeypatch):
    monkeypatch.setattr(breaker, "CLOSED_FOR_S", 1000)
    client = Counting(clean_redis)
    seen = piper(connection=client)

    for _ in range(100):
        seen.admit().succeeded()

    assert client.calls == 1


def test_success_after_a_failure_is_told_once(clean_redis, monkeypatch):
    monkeypatch.setattr(breaker, "CLOSED_FOR_S", 1000)
    fail(piper(), 1)
    client = Counting(clean_redis)
    seen = piper(connection=client)

    for _ in range(100):
        seen.admit().succeeded()

    assert client.calls == 2
    assert seen.admit() is not None
    assert not clean_redis.exists(HASH)


def test_success_of_a_call_that_began_before_a_failure_counts():
    seen = piper()
    good, bad = seen.admit(), seen.admit()

    bad.failed(TransientFailure("reset"))
    good.succeeded()

    assert seen.state().failures == 0


def test_redis_away_lets_all_calls_pass():
    away = redis.Redis(port=1, socket_connect_timeout=0.1, retry=None)
    seen = piper(connection=away)

    for _ in range(6):
        seen.admit().failed(TransientFailure("away as well"))
    seen.admit().succeeded()


def test_message_of_a_foreign_error_is_not_kept():
    seen = piper()

    seen.admit().failed(ValueError("a sentence that somebody said"))

    assert seen.state().reason == "ValueError"


def test_open_engine_is_an_unavailable_one():
    assert issubclass(EngineOpen, EngineUnavailable)
    assert not issubclass(EngineOpen, TransientFailure), "trying again at once would be of no use"


def test_names_in_the_settings_are_those_of_the_engines():
    config = EngineConfig(stt_engines=tuple(registry._RECOGNITION), tts_engines=tuple(registry._SYNTHESIS))

    assert [engine.name for engine in registry.recognition_engines(config)] == list(config.stt_engines)
    assert [engine.name for engine in registry.synthesis_engines(config)] == list(config.tts_engines)


def test_states_of_all_configured_engines_are_read_in_order(settings):
    settings.VOICE = settings.VOICE | {"STT_ENGINES": ["deepgram"], "TTS_ENGINES": ["piper", "espeak"]}
    fail(piper())

    states = breaker.configured()

    assert [(s.direction, s.engine, s.name) for s in states] == [
        ("recognition", "deepgram", "closed"),
        ("synthesis", "piper", "open"),
        ("synthesis", "espeak", "closed"),
    ]
