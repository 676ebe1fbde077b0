"""Which list a job goes to, and when it moves to another: pretended workers in a real Redis."""

import uuid

import pytest
from prometheus_client import REGISTRY
from rq.job import Job
from rq.utils import now, utcformat
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from voice.infra import redis_clients
from voice.queues import jobs, pools, spilling, turns
from voice.queues.pools import Served

JOB = "voice.workers.answering.answer_call"
ENGLISH, GERMAN, ANY = "stt/en", "stt/de", ""
GPU = "stt/* stt/de stt/en"

pytestmark = pytest.mark.usefixtures("clean_redis")


@pytest.fixture(autouse=True)
def spill_after_5_s(settings):
    settings.SPILL_AFTER_S = 5.0


def worker(client, *list_names, serves=None):
    """Pretend that a slot serves these lists; return its key. serves: None is that of an earlier release."""
    key = f"rq:worker:{uuid.uuid4().hex}"
    client.hset(key, mapping={"birth": utcformat(now())} | ({} if serves is None else {"serves": serves}))
    for name in list_names:
        client.sadd(WORKERS_BY_QUEUE_KEY % name, key)
    return key


def queue(*names, kind="stt", needs=ENGLISH, tenant=""):
    for name in names:
        jobs.enqueue_now(kind, JOB, name, job_id=name, needs=needs, tenant=tenant)


def waiting(list_name):
    return [name.decode() for name in redis_clients.sync_client().lrange(jobs.key(list_name), 0, -1)]


def grow_old(client, *names, seconds=10):
    for name in names:
        was = now().timestamp() - seconds
        client.hset(Job.key_for(name), "enqueued_at", utcformat(type(now()).fromtimestamp(was, now().tzinfo)))


def spill():
    return spilling.spill(redis_clients.sync_client())


# Where a new job goes


@pytest.mark.parametrize(
    ("living", "expected"),
    [
        ({}, "stt"),
        ({"stt": "stt/en"}, "stt"),
        ({"stt-gpu": GPU}, "stt-gpu"),
        ({"stt": "stt/en", "stt-gpu": GPU}, "stt-gpu"),
        ({"stt": "stt/en", "stt-gpu": "stt/fr"}, "stt"),
        ({"stt": "stt/fr", "stt-gpu": "stt/fr"}, "stt"),
        ({"stt-gpu": "stt/fr"}, "stt-gpu"),  # which will say that it can't
        ({"stt": None}, "stt"),
        ({"stt": "stt/en", "stt-gpu": None}, "stt-gpu"),
        ({"stt": "stt/en", "stt-gpu": "nothing"}, "stt"),
    ],
)
def test_answer_goes_to_the_best_pool_that_lives_and_knows_its_language(clean_redis, living, expected):
    for name, serves in living.items():
        worker(clean_redis, name, serves=serves)

    queue("answer")

    assert waiting(expected) == ["answer"]


@pytest.mark.parametrize(
    ("voice", "expected"),
    [("piper:a", "tts"), ("kokoro:a", "tts-gpu"), ("chatterbox:a", "tts"), ("", "tts")],
)
def test_speech_goes_to_the_pool_that_has_the_engine(clean_redis, voice, expected):
    worker(clean_redis, "tts", "tts-call", serves="tts/espeak tts/piper")
    worker(clean_redis, "tts-gpu", serves="tts/kokoro")
    needs = pools.engine(voice.partition(":")[0])

    queue("question", kind="tts", needs=needs)
    queue("call", kind="tts-call", needs=needs)

    assert waiting(expected) == (["question", "call"] if expected == "tts-gpu" else ["question"])


def test_pool_whose_worker_has_died_is_skipped_at_once(clean_redis):
    worker(clean_redis, "stt", serves="stt/en")
    gone = worker(clean_redis, "stt-gpu", serves=GPU)
    queue("before")
    clean_redis.delete(gone)

    queue("after")

    assert (waiting("stt-gpu"), waiting("stt")) == (["before"], ["after"])


def test_entry_that_a_dead_worker_left_behind_is_no_worker(clean_redis):
    worker(clean_redis, "stt", serves="stt/en")
    clean_redis.hdel(worker(clean_redis, "stt-gpu", serves=GPU), "birth")

    queue("answer")

    assert waiting("stt") == ["answer"]


def test_pool_where_jobs_wait_long_is_passed_over(clean_redis):
    worker(clean_redis, "stt", serves="stt/en")
    worker(clean_redis, "stt-gpu", serves=GPU)
    queue("first")
    grow_old(clean_redis, "first")

    queue("second")

    assert (waiting("stt-gpu"), waiting("stt")) == (["first"], ["second"])


@pytest.mark.parametrize(
    ("gpu_s", "cpu_s", "expected"), [(9, 7, "stt"), (7, 9, "stt-gpu"), (4, 0, "stt-gpu")]
)
def test_where_all_wait_long_the_shortest_wait_is_chosen(gpu_s, cpu_s, expected):
    states = [Served("stt-gpu", 1, gpu_s, 1, 1), Served("stt", 1, cpu_s, 1, 1)]

    assert pools.chosen("stt", states) == expected


def test_list_of_several_pools_gets_only_what_all_of_them_can_do(clean_redis):
    worker(clean_redis, "stt", "stt-call", "stt-batch", serves="stt/en")
    worker(clean_redis, "stt-gpu", "stt-call", serves=GPU)

    queue("english", kind="stt-call")
    queue("german", kind="stt-call", needs=GERMAN)
    queue("german-files", kind="stt-batch", needs=GERMAN)

    assert waiting("stt-call") == ["english"]
    assert waiting("stt-gpu") == ["german", "german-files"]


@pytest.mark.parametrize(("kind", "expected"), [("stt-later", "stt-later"), ("stt-call", "stt-gpu")])
def test_only_who_waits_is_served_by_another_list_than_an_unserved_one(clean_redis, kind, expected):
    worker(clean_redis, "stt-gpu", serves=GPU)

    queue("job", kind=kind)

    assert waiting(expected) == ["job"]


def test_other_queues_have_one_list(clean_redis):
    worker(clean_redis, "stt-gpu", serves=GPU)

    queue("caption", kind="stt-partial", needs=ANY)

    assert waiting("stt-partial") == ["caption"]


def test_answers_go_before_calls_in_the_list_of_a_pool(clean_redis):
    worker(clean_redis, "stt-gpu", serves=GPU)
    queue("call", "another", kind="stt-call", tenant="a")
    queue("answer", "next", tenant="a")

    taken = [turns.take(["stt-gpu"], "rq:worker:one", "one", clean_redis).job_id for _ in range(4)]

    assert taken == ["answer", "next", "call", "another"]


def test_expected_wait_is_that_of_the_pool_that_begins_first():
    dead, slow, idle = Served("a", 3, 30, 0, 0), Served("b", 3, 12, 2, 2), Served("c", 0, 0, 1, 1)

    assert pools.expected_wait_s([dead, slow, idle]) == 0
    assert pools.expected_wait_s([dead, slow]) == 12
    assert pools.expected_wait_s([dead]) == 30


# What moves


def test_jobs_of_a_dead_pool_move_at_once_and_keep_their_order(clean_redis):
    gone = worker(clean_redis, "stt-gpu", serves=GPU)
    queue("a", "b", "c", tenant="x")
    worker(clean_redis, "stt", serves="stt/en")
    queue("call", kind="stt-call", tenant="x")
    clean_redis.delete(gone)

    assert spill() == 4

    assert waiting("stt-gpu") == []
    assert waiting("stt") == ["a", "b", "c", "call"]
    taken = turns.take(["stt"], "rq:worker:one", "one", clean_redis)
    assert (taken.job_id, taken.note("tenant"), taken.note("queue")) == ("a", "x", "stt")
    assert taken.fields[b"origin"] == b"stt"


def test_jobs_that_no_other_pool_can_do_stay(clean_redis):
    gone = worker(clean_redis, "stt-gpu", serves=GPU)
    worker(clean_redis, "stt", serves="stt/fr")
    queue("german", needs=GERMAN)
    grow_old(clean_redis, "german")

    assert spill() == 0
    clean_redis.delete(gone)
    assert spill() == 1  # to the only living pool, which sets it aside
    assert spill() == 0


def test_what_waits_too_long_moves_as_far_as_there_is_room(clean_redis):
    worker(clean_redis, "stt-gpu", serves=GPU)
    names = [f"answer{number}" for number in range(6)]
    queue(*names)
    worker(clean_redis, "stt", serves="stt/en")
    grow_old(clean_redis, *names[:4])

    assert spill() == spilling.AHEAD
    assert len(waiting("stt")) == spilling.AHEAD
    assert spill() == 0


def test_what_waits_too_long_stays_where_the_other_pool_is_no_faster(clean_redis):
    worker(clean_redis, "stt-gpu", serves=GPU)
    worker(clean_redis, "stt", serves="stt/en")
    queue("answer")
    grow_old(clean_redis, "answer", seconds=6)
    queue("other")
    grow_old(clean_redis, "other", seconds=8)

    assert spill() == 0


def test_moves_are_counted(clean_redis):
    def moved():
        labels = {"from": "stt-gpu", "to": "stt", "reason": "not_served"}
        return REGISTRY.get_sample_value("voice_jobs_moved_total", labels) or 0

    before = moved()
    gone = worker(clean_redis, "stt-gpu", serves=GPU)
    queue("answer")
    clean_redis.delete(gone)
    worker(clean_redis, "stt", serves="stt/en")

    spill()

    assert moved() == before + 1


def test_job_that_was_taken_in_the_meantime_is_not_moved(clean_redis):
    worker(clean_redis, "stt-gpu", serves=GPU)
    queue("answer")
    job = spilling.Waiting("answer", "stt-gpu", "stt", ENGLISH, 9)
    turns.take(["stt-gpu"], "rq:worker:one", "one", clean_redis)

    assert not spilling._move(job, "stt", clean_redis)
    assert waiting("stt") == []


def test_whatever_lies_under_the_key_of_a_job_does_not_stop_the_others(clean_redis):
    gone = worker(clean_redis, "stt-gpu", serves=GPU)
    worker(clean_redis, "stt", serves="stt/en")
    queue("answer")
    clean_redis.set(Job.key_for("odd"), "text")
    clean_redis.hset(Job.key_for("undated"), mapping={"enqueued_at": b"\xff", "queue": b"\xff"})
    clean_redis.lpush(jobs.key("stt-gpu"), "odd", "undated", "absent")
    clean_redis.delete(gone)

    spill()

    assert waiting("stt") == ["answer"]


def test_one_pool_alone_is_never_looked_at_job_by_job(clean_redis, monkeypatch):
    worker(clean_redis, "stt", serves="stt/en")
    queue("answer")
    monkeypatch.setattr(spilling, "_waiting", pytest.fail)

    assert spill() == 0


async def test_call_whose_job_has_moved_can_be_left(clean_redis):
    from voice.queues import calls

    gone = worker(clean_redis, "stt-gpu", serves=GPU)
    call = calls.Call(uuid.uuid4().hex, "stt-call", needs=ENGLISH)
    await call.ask({"kind": "hear"}, queue_limit=10)
    assert len(waiting("stt-gpu")) == 1
    clean_redis.delete(gone)
    worker(clean_redis, "stt", "stt-call", serves="stt/en")
    spill()
    assert len(waiting("stt-call")) == 1

    await call.leave()

    assert waiting("stt-call") == []
    assert clean_redis.keys("rq:job:*") == []
