"""Jobs that an earlier version queued: pickled, or under dotted paths that no longer exist."""

import pickle
from datetime import timedelta

import pytest
from django.utils import timezone
from rq import Queue
from rq.job import Job

from tests.faults.waiting import wait_for
from tests.voice.web.rest import recording
from voice.infra import redis_clients
from voice.models import BatchFile
from voice.queues import calls, jobs
from voice.queues.listed_jobs import Json
from voice.service import batches, synthesis
from voice.service.requests import SpeechRequest, TranscriptionRequest
from voice.workers import sweeper

pytestmark = pytest.mark.django_db(transaction=True)


class Pickled:
    """RQ's own serialiser, before `listed_jobs` replaced it."""

    dumps, loads = staticmethod(pickle.dumps), staticmethod(pickle.loads)


FORMS = {
    "pickled": ("voice.workers.{module}.{name}", Pickled),
    "under an old path": ("voice.jobs.{name}", Json),
    "pickled under an old path": ("voice.jobs.{name}", Pickled),
}


@pytest.fixture(params=FORMS)
def queue_in_old_form(request):
    path, serializer = FORMS[request.param]

    def enqueue(queue_name, job, *args, job_id, **options):
        module, name = job.split(".")[-2:]
        queue = Queue(queue_name, connection=redis_clients.sync_client(), serializer=serializer)
        queue.enqueue_call(path.format(module=module, name=name), args=args, job_id=job_id)

    return enqueue


def is_gone(job_id):
    return not redis_clients.sync_client().exists(Job.key_for(job_id))


def test_old_job_is_dropped_with_a_line_and_queued_anew(worker, monkeypatch, queue_in_old_form, caplog):
    with monkeypatch.context() as unqueued:
        unqueued.setattr(jobs, "enqueue", lambda *args, **options: None)
        files = [recording(name="one.wav")]
        batch = batches.create(owner="organisation:1", request=TranscriptionRequest(), files=files)
    row = batch.files.get()

    job_id = batches.transcription_job_id(row.pk)
    queue_in_old_form("stt-batch", "voice.workers.transcription.transcribe_file", str(row.pk), job_id=job_id)
    wait_for(lambda: is_gone(job_id), "the old job to be dropped")
    row.refresh_from_db()
    assert (row.status, row.attempts) == (BatchFile.Status.WAITING, 0)
    assert f"job {job_id} is dropped: " in caplog.text

    BatchFile.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    sweeper.sweep()
    wait_for(lambda: BatchFile.objects.get().status == BatchFile.Status.DONE, "the new job")


async def test_call_with_an_old_job_is_answered_all_the_same(worker, monkeypatch, queue_in_old_form, caplog):
    monkeypatch.setattr(calls, "LOOK_AFTER_S", 0.1)
    new = jobs.enqueue_now

    def queue_first_in_old_form(*args, **options):
        monkeypatch.setattr(jobs, "enqueue_now", new)
        queue_in_old_form(*args, **options)

    monkeypatch.setattr(jobs, "enqueue_now", queue_first_in_old_form)
    request = SpeechRequest.checked(text="Good morning.", language="en")
    speech = await synthesis.synthesize(request, tenant="organisation:1")

    assert b"".join([part.body async for part in speech.parts()])
    assert "is dropped: " in caplog.text
