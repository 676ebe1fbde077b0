"""Recognition goes ahead only while workers have time for it, and is the first work to be skipped."""

from uuid import uuid4

import pytest
import redis
from prometheus_client import REGISTRY

from voice.capacity import shedding
from voice.live import ahead
from voice.queues import jobs

RECORDING = uuid4()


@pytest.fixture
def spare(monkeypatch):
    """Set what is known of the workers: whether they have time, or an error."""
    asked = []

    def set_to(answer):
        async def has_spare_workers(*names):
            asked.append(names)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(jobs, "has_spare_workers", has_spare_workers)
        return asked

    return set_to


def count(outcome: str) -> float:
    return REGISTRY.get_sample_value("voice_ahead_total", {"outcome": outcome}) or 0.0


async def test_job_has_the_id_of_the_recording_only(queued, spare):
    import django_rq

    asked = spare(True)

    assert await ahead.queue_ahead(recording_id=RECORDING)

    (job_id,) = queued("stt-ahead")
    job = django_rq.get_queue("stt-ahead").fetch_job(job_id)
    assert job.func_name == "voice.workers.transcription.recognise_on_the_way"
    assert job.args == [str(RECORDING)]
    assert asked == [("stt", "stt-ahead")]


@pytest.mark.parametrize(("answer", "outcome"), [(False, "busy"), (redis.ConnectionError(), "unreachable")])
async def test_nothing_is_queued_without_a_spare_worker(queued, spare, answer, outcome):
    spare(answer)
    before = count(outcome)

    assert not await ahead.queue_ahead(recording_id=RECORDING)

    assert queued("stt-ahead") == []
    assert count(outcome) == before + 1


async def test_nothing_is_queued_under_load(queued, spare, monkeypatch):
    asked = spare(True)
    monkeypatch.setattr(shedding, "is_off", lambda step: step is shedding.Step.SPECULATION)

    assert not await ahead.queue_ahead(recording_id=RECORDING)

    assert asked == []
