"""Captions are requested only while the queue is short, and are the first work to be skipped."""

from uuid import uuid4

import pytest
import redis
from prometheus_client import REGISTRY

from voice.capacity import shedding
from voice.infra import redis_clients
from voice.live import caption_queue
from voice.live.captions import CaptionWanted
from voice.queues import jobs

RECORDING = uuid4()


async def ask(start=0, end=32_000, **options):
    return await caption_queue.queue_caption(
        CaptionWanted(start, end), recording_id=RECORDING, language="en", reply_to="channel", **options
    )


async def test_caption_is_queued_with_ids_and_positions_only(queued):
    import django_rq

    assert await ask()

    (job_id,) = queued("stt-partial")
    job = django_rq.get_queue("stt-partial").fetch_job(job_id)
    assert job.func_name == "voice.workers.transcription.recognise_partial"
    assert job.args == [str(RECORDING), 0, 32_000, "en", "channel"]


async def test_caption_expects_the_hot_words_of_its_recording(queued):
    import django_rq

    assert await ask(hot_words="Kafka")

    (job_id,) = queued("stt-partial")
    assert django_rq.get_queue("stt-partial").fetch_job(job_id).args[5:] == ["Kafka"]


async def test_caption_that_nobody_takes_is_forgotten(queued):
    assert await ask()

    (job_id,) = queued("stt-partial")
    ttl_ms = await redis_clients.async_client().pttl(f"rq:job:{job_id}")
    assert 0 < ttl_ms <= 1000 * caption_queue.WORTH_S


async def test_caption_is_refused_while_the_queue_is_full(queued, settings):
    settings.PARTIAL_QUEUE_LIMIT = 1
    assert await ask()

    assert not await ask(32_000, 64_000)
    assert len(queued("stt-partial")) == 1


async def test_caption_is_refused_while_redis_is_away(monkeypatch):
    async def fail(name):
        raise redis.ConnectionError

    monkeypatch.setattr(jobs, "n_now", fail)

    assert not await ask()


async def test_queue_that_was_full_is_not_looked_at_again_at_once(queued, settings, monkeypatch):
    looks = []
    look = jobs.n_now
    monkeypatch.setattr(jobs, "n_now", lambda name: looks.append(name) or look(name))
    settings.PARTIAL_QUEUE_LIMIT = 0
    for _ in range(3):
        assert not await ask()
    assert len(looks) == 1

    queue = redis_clients.of_loop("captions:stt-partial", pytest.fail)
    queue._look_at = 0.0
    settings.PARTIAL_QUEUE_LIMIT = 1
    assert await ask()


async def test_nothing_is_asked_while_captions_are_off(queued, monkeypatch):
    monkeypatch.setattr(shedding, "is_off", lambda step: step is shedding.Step.CAPTIONS)
    before = counted("off")

    assert not await ask()

    assert queued("stt-partial") == []
    assert counted("off") == before + 1


async def test_captions_that_are_asked_for_and_those_left_out_are_counted(queued, settings):
    settings.PARTIAL_QUEUE_LIMIT = 1
    before = [counted("asked"), counted("queue_full")]
    for _ in range(3):
        await ask()
    assert [counted("asked"), counted("queue_full")] == [before[0] + 1, before[1] + 2]


def counted(outcome):
    return REGISTRY.get_sample_value("voice_partials_total", {"outcome": outcome}) or 0.0


@pytest.fixture(autouse=True)
def _clean(clean_redis):
    """Start each test without jobs."""


async def test_captions_that_are_being_made_count_too(clean_redis, settings):
    settings.PARTIAL_QUEUE_LIMIT = 1
    clean_redis.zadd("rq:wip:stt-partial", {"job": 10**12})

    assert not await ask()
