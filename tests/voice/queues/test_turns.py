"""The order in which jobs are taken: queues by priority, tenants in turn."""

import os
import threading

import pytest
import redis

from voice.infra import redis_clients
from voice.queues import jobs, turns

JOB = "voice.workers.answering.answer_call"
ORDER = ["stt", "stt-ahead", "stt-later", "stt-partial", "stt-call", "stt-call-partial", "stt-batch"]

pytestmark = pytest.mark.usefixtures("clean_redis")


def queue(queue_name, tenant, *names):
    for name in names:
        jobs.enqueue_now(queue_name, JOB, name, job_id=name, tenant=tenant)


def taken(queue_names, count):
    """The ids of the next jobs."""
    found = [
        turns.take(queue_names, "rq:worker:one", "one", redis_clients.sync_client()) for _ in range(count)
    ]
    return [job and job.job_id for job in found]


def test_jobs_of_one_tenant_are_taken_as_they_came():
    queue("stt-call", "a", "a1", "a2", "a3")

    assert taken(["stt-call"], 4) == ["a1", "a2", "a3", None]


def test_tenants_take_turns():
    queue("stt-call", "a", "a1", "a2", "a3")
    queue("stt-call", "b", "b1", "b2")
    queue("stt-call", "", "c1")

    assert taken(["stt-call"], 6) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_tenant_with_many_jobs_delays_another_by_one():
    queue("stt-call", "a", *(f"a{n}" for n in range(200)))
    assert taken(["stt-call"], 2) == ["a0", "a1"]
    queue("stt-call", "b", "b1", "b2")

    assert taken(["stt-call"], 4) == ["b1", "a2", "b2", "a3"]


@pytest.mark.parametrize("busy", ["stt-call", "stt-batch"])
def test_answer_of_an_interview_is_next_beside_two_hundred_files_of_one_key(busy):
    queue(busy, "a", *(f"a{n}" for n in range(200)))
    assert taken(ORDER, 1) == ["a0"]
    queue("stt", "b", "answer")

    assert taken(ORDER, 2) == ["answer", "a1"]


def test_callers_come_before_batches():
    queue("stt-batch", "a", "file")
    queue("stt-call", "b", "call")
    queue("stt-partial", "c", "caption")

    assert taken(ORDER, 3) == ["caption", "call", "file"]


def test_jobs_of_the_platform_have_no_turns():
    queue("default", "a", "a1", "a2")
    queue("default", "b", "b1")

    assert taken(["default"], 3) == ["a1", "a2", "b1"]


def test_job_that_has_expired_is_left_out(clean_redis):
    queue("stt-call", "a", "a1", "a2")
    clean_redis.delete("rq:job:a1")

    assert taken(["stt-call"], 2) == ["a2", None]


def test_what_is_no_job_is_left_out(clean_redis):
    queue("stt-call", "a", "a1")
    clean_redis.rpush("rq:job:odd", "not the fields of a job")
    clean_redis.lpush("rq:queue:stt-call", "odd")

    assert taken(["stt-call"], 2) == ["a1", None]


def test_turn_of_long_ago_is_forgotten(clean_redis):
    queue("stt-call", "a", "a1")
    clean_redis.zadd("voice:turns:rq:queue:stt-call", {"gone": 1})
    taken(["stt-call"], 1)

    assert clean_redis.zrange("voice:turns:rq:queue:stt-call", 0, -1) == [b"a"]
    assert 0 < clean_redis.ttl("voice:turns:rq:queue:stt-call") <= turns.REMEMBERED_S


def test_length_of_a_queue_is_what_waits(clean_redis):
    queue("stt-call", "a", "a1", "a2")
    taken(["stt-call"], 1)

    assert clean_redis.llen("rq:queue:stt-call") == 1


def test_worker_that_waits_is_woken(clean_redis):
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as own:
        waiting = threading.Thread(
            target=turns.wait, args=(["stt", "stt-call"], own), kwargs={"within_s": 300}
        )
        waiting.start()
        queue("stt-call", "a", "a1")
        waiting.join(60)

    assert not waiting.is_alive()


def test_rings_that_nobody_hears_are_few(clean_redis):
    queue("stt-call", "a", *(f"a{n}" for n in range(50)))

    assert clean_redis.llen("voice:bell:stt-call") == jobs.RINGS
