"""Captions are asked for as long as the queue is short, and are the first thing to go."""

from uuid import uuid4

import pytest
import redis

from voice import hot_audio, partials
from voice.captions import PartialWanted

RECORDING = uuid4()


async def ask(start=0, end=32_000):
    return await partials.queue_partial(
        PartialWanted(start, end), recording_id=RECORDING, language="en", reply_to="channel"
    )


async def test_partial_is_queued_with_ids_and_positions_only(queued):
    import django_rq

    assert await ask()

    (job_id,) = queued("stt-partial")
    job = django_rq.get_queue("stt-partial").fetch_job(job_id)
    assert job.func_name == "voice.jobs.recognise_partial"
    assert job.args == (str(RECORDING), 0, 32_000, "en", "channel")


async def test_partial_is_refused_while_the_queue_is_full(queued, settings):
    settings.PARTIAL_QUEUE_LIMIT = 1
    assert await ask()

    assert not await ask(32_000, 64_000)
    assert len(queued("stt-partial")) == 1


async def test_partial_is_refused_while_redis_is_away(monkeypatch):
    class Away:
        async def llen(self, name):
            raise redis.ConnectionError

    monkeypatch.setattr(hot_audio, "async_client", Away)

    assert not await ask()


@pytest.fixture(autouse=True)
def _clean(clean_redis):
    """No test finds another's jobs."""
