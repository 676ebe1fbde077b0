"""The stores stop, lose data, refuse, hang, or are full."""

import time

import pytest


@pytest.mark.proof  # killed is the harder end
def test_redis_restarted_with_its_file(system, crowd, harm, scale):
    system.redis.stop()
    crowd.speak_on(scale.away_s)
    system.redis.start()
    since = time.monotonic()
    harm.survived("Redis restarted with its append-only file", recover_s=crowd.wait_recovered(since=since))


def test_redis_killed_with_its_file(system, crowd, harm, scale):
    system.redis.kill()
    crowd.speak_on(scale.away_s)
    system.redis.start()
    since = time.monotonic()
    harm.survived("Redis killed, its append-only file kept", recover_s=crowd.wait_recovered(since=since))


def test_redis_lost_with_all_data(system, crowd, harm, scale):
    system.redis.kill()
    system.redis.empty()
    crowd.speak_on(scale.away_s)
    system.redis.start()
    since = time.monotonic()
    harm.survived("Redis lost with all its data", recover_s=crowd.wait_recovered(since=since))


@pytest.mark.proof  # killed is the harder end
def test_postgresql_restarted(system, crowd, harm, scale):
    system.postgresql.stop()
    crowd.speak_on(scale.away_s)
    system.postgresql.start()
    since = time.monotonic()
    harm.survived("PostgreSQL restarted", recover_s=crowd.wait_recovered(since=since))


def test_postgresql_killed(system, crowd, harm, scale):
    system.postgresql.kill()
    crowd.speak_on(scale.away_s)
    system.postgresql.start()
    since = time.monotonic()
    harm.survived("kill -9 of PostgreSQL", recover_s=crowd.wait_recovered(since=since))


@pytest.mark.parametrize("mood", ["failing", pytest.param("hanging", marks=pytest.mark.proof)])
def test_object_storage_ill(system, crowd, harm, mood, scale):
    with system.storage.ill(mood):
        crowd.speak_on(scale.ill_s)
    since = time.monotonic()
    words = {"failing": "answers 500", "hanging": "hangs"}[mood]
    fault = f"object storage {words} for {scale.ill_s:g} s"
    harm.survived(fault, recover_s=crowd.wait_recovered(since=since))
