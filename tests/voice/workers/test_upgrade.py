"""Jobs that the previous version queued, under dotted paths that no longer exist."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from tests.faults.waiting import wait_for
from tests.voice.web.rest import recording
from voice.callers import Caller
from voice.infra import redis_clients
from voice.models import BatchFile
from voice.queues import calls, jobs
from voice.service import batches, synthesis
from voice.service.requests import SpeechRequest, TranscriptionRequest
from voice.workers import sweeper

pytestmark = pytest.mark.django_db(transaction=True)


def failed(queue_name):
    return redis_clients.sync_client().zcard(f"rq:failed:{queue_name}")


def test_job_under_its_old_path_is_dropped_and_queued_anew(worker, settings, tmp_path, monkeypatch):
    with monkeypatch.context() as unqueued:
        unqueued.setattr(jobs, "enqueue", lambda *args, **options: None)
        files = [recording(name="one.wav")]
        batch = batches.create(owner="organisation:1", request=TranscriptionRequest(), files=files)
    row = batch.files.get()

    job_id = batches.transcription_job_id(row.pk)
    jobs.enqueue_now("stt-batch", "voice.jobs.transcribe_file", str(row.pk), job_id=job_id)
    wait_for(lambda: failed("stt-batch") == 1, "the old job to fail")
    row.refresh_from_db()
    assert (row.status, row.attempts) == (BatchFile.Status.WAITING, 0)

    BatchFile.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    sweeper.sweep()
    wait_for(lambda: BatchFile.objects.get().status == BatchFile.Status.DONE, "the new job")
    wait_for(lambda: failed("stt-batch") == 0, "the failure to be forgotten")


async def test_call_whose_job_has_its_old_path_is_answered_all_the_same(worker, monkeypatch):
    monkeypatch.setattr(calls, "LOOK_AFTER_S", 0.1)
    new = calls.JOB
    monkeypatch.setattr(calls, "JOB", "voice.jobs.answer_call")
    speech = await synthesis.synthesize(
        SpeechRequest.checked(text="Good morning.", language="en"), Caller("key:1", "", "")
    )
    reading = asyncio.create_task(all_of(speech))
    await sync_to_async(wait_for)(lambda: failed("tts-call") == 1, "the old job to fail")
    monkeypatch.setattr(calls, "JOB", new)

    assert await reading


async def all_of(speech):
    return b"".join([part.body async for part in speech.parts()])
