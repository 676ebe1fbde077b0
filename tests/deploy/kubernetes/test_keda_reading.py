"""What KEDA would read of queues with waiting, running, dead and expired jobs, by its documented rules."""

import itertools

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.job import Job
from rq.registry import FailedJobRegistry

from tests.deploy.kubernetes.autoscaler import Autoscaler, length, pods_for, readings
from tests.deploy.kubernetes.manifests import of_kind
from voice.queues import jobs, leases, turns
from voice.workers.slot import Slot

NAME = "stt-later"
JOB = "voice.workers.transcription.transcribe"


@pytest.fixture
def later(largest):
    return of_kind(largest, "ScaledObject")[f"worker-{NAME}"]


def queue(*ids):
    for job_id in ids:
        jobs.enqueue_now(NAME, JOB, job_id, job_id=job_id)


def run(client):
    """Let a worker take the next job, and return its slot."""
    slot = Slot([NAME], name="a-worker", connection=client)
    slot.register_birth()
    taken = turns.take([NAME], slot.key, slot.name, client)
    slot.prepare_execution(Job.fetch(taken.job_id, connection=client))
    return slot


def test_length_is_read_by_the_type_of_the_key(clean_redis):
    clean_redis.rpush("a-list", 1, 2, 3)
    clean_redis.zadd("a-sorted-set", {"one": 1, "two": 2})
    clean_redis.sadd("a-set", 1)
    clean_redis.hset("a-hash", mapping={"a": 1, "b": 2, "c": 3, "d": 4})

    names = ("a-list", "a-sorted-set", "a-set", "a-hash", "no-such-key")
    assert [length(clean_redis, name) for name in names] == [3, 2, 1, 4, 0]


def test_waiting_and_running_jobs_are_counted(clean_redis, later):
    queue("one", "two", "three")
    run(clean_redis)

    assert readings(later, clean_redis) == {f"{NAME}-waiting": 2, f"{NAME}-running": 1}


def test_running_job_alone_keeps_the_pool_up(clean_redis, later):
    queue("one")
    run(clean_redis)
    scaler = Autoscaler(later)

    scaler.step(0, 1, readings(later, clean_redis))

    assert scaler.step(10_000, 1, readings(later, clean_redis)) == 1


def test_failed_jobs_keep_no_pool_up(clean_redis, later):
    queue("one")
    job = Job.fetch("one", connection=clean_redis)
    clean_redis.lrem(jobs.key(NAME), 1, "one")
    FailedJobRegistry(NAME, connection=clean_redis).add(job, ttl=3600)

    assert not Autoscaler(later).is_active(readings(later, clean_redis))


def test_job_of_a_dead_worker_counts_until_it_is_queued_again(clean_redis, later):
    queue("one")
    slot = run(clean_redis)
    clean_redis.delete(slot.key)  # its lease has ended
    assert readings(later, clean_redis) == {f"{NAME}-waiting": 0, f"{NAME}-running": 1}

    assert not leases.is_pending("one", clean_redis)  # as the sweeper asks, which removes what was left
    queue("one")

    assert readings(later, clean_redis) == {f"{NAME}-waiting": 1, f"{NAME}-running": 0}


def test_expired_jobs_wake_the_pool_that_drops_them(clean_redis, later):
    jobs.enqueue_now(NAME, JOB, "one", job_id="one", worth_s=1)
    clean_redis.delete(Job.key_for("one"))  # as when its time is over

    assert Autoscaler(later).is_active(readings(later, clean_redis))
    assert turns.take([NAME], "rq:worker:one", "one", clean_redis) is None
    assert not Autoscaler(later).is_active(readings(later, clean_redis))


@pytest.mark.parametrize(
    ("value", "target", "replicas", "pods"),
    [(13, 6, 1, 3), (6, 6, 1, 1), (6.5, 6, 1, 1), (7, 6, 1, 2), (0, 6, 3, 0), (12, 6, 3, 2)],
)
def test_pods_are_the_value_divided_by_the_target(value, target, replicas, pods):
    assert pods_for(value, target, replicas) == pods


def test_pool_at_zero_is_woken_by_the_first_job(later):
    scaler = Autoscaler(later)

    assert scaler.step(0, 0, {f"{NAME}-waiting": 0, f"{NAME}-running": 0}) == 0
    assert scaler.step(5, 0, {f"{NAME}-waiting": 1, f"{NAME}-running": 0}) == 1


def test_pool_ends_after_the_cooldown_and_not_before(later):
    scaler, empty = Autoscaler(later), {f"{NAME}-waiting": 0, f"{NAME}-running": 0}
    scaler.step(0, 0, {f"{NAME}-waiting": 1, f"{NAME}-running": 0})
    cooldown_s = later["spec"]["cooldownPeriod"]

    assert scaler.step(cooldown_s, 1, empty) == 1
    assert scaler.step(cooldown_s + 1, 1, empty) == 0


def test_recognition_grows_before_all_its_slots_are_busy(largest):
    stt = of_kind(largest, "ScaledObject")["worker-stt"]
    idle = dict.fromkeys(["stt-waiting", "stt-running", "stt-call-waiting", "stt-call-running"], 0)

    assert Autoscaler(stt).step(0, 1, idle | {"stt-running": 5}) == 2
    assert Autoscaler(stt).step(0, 1, idle) == 1


def test_recognition_shrinks_by_one_pod_a_minute(largest):
    stt = of_kind(largest, "ScaledObject")["worker-stt"]
    idle = dict.fromkeys(["stt-waiting", "stt-running", "stt-call-waiting", "stt-call-running"], 0)
    scaler, replicas, seen = Autoscaler(stt), 4, []
    scaler.step(0, replicas, idle | {"stt-running": 16})

    for now_s in range(15, 600, 15):
        replicas = scaler.step(now_s, replicas, idle)
        seen.append(replicas)

    assert seen[:19] == [4] * 19  # five minutes wanted fewer
    assert sorted(set(seen)) == [1, 2, 3, 4]
    assert all(before - after <= 1 for before, after in itertools.pairwise(seen))


def test_unreadable_redis_is_no_zero(later):
    nowhere = redis.Redis(port=1, retry=Retry(NoBackoff(), 0))

    with pytest.raises(redis.RedisError):
        readings(later, nowhere)
