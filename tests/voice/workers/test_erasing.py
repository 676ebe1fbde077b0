"""Erasures of the speech service go on until nothing is found."""

from pathlib import Path

import boto3
import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from moto import mock_aws
from storages.backends.s3 import S3Storage

from tests import redis_connections
from tests.factories import tone
from voice.infra import object_storage, redis_clients
from voice.models import PendingErasure, Recording
from voice.queues import jobs, leases
from voice.recordings import buffer, lifecycle, queueing
from voice.workers import erasing, storing, sweeper

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

PCM = tone(0.3)


@pytest.fixture
def sealed() -> Recording:
    recording = lifecycle.create(language="en", max_seconds=10)
    async_to_sync(_fill)(recording)
    lifecycle.seal(recording=recording, at_least=len(PCM), now=timezone.now())
    recording.refresh_from_db()
    return recording


async def _fill(recording: Recording) -> None:
    await lifecycle.open_for(recording, writer="test")
    await buffer.write(recording.id, writer="test", offset=0, pcm=PCM)
    await redis_connections.close_those_of_this_loop()


@pytest.fixture
def s3(monkeypatch):
    """Object storage in S3, which never forgets by itself what was not completed."""
    with mock_aws():
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="recordings")
        storage = S3Storage(bucket_name="recordings", region_name="us-east-1", file_overwrite=True)
        monkeypatch.setattr(default_storage, "_wrapped", storage)
        yield client


def run() -> None:
    for row in PendingErasure.objects.all():
        erasing.erase(str(row.pk))


def fail(*args):
    raise OSError("away")


def test_discarded_audio_that_could_not_be_erased_is_erased_later(sealed, monkeypatch, queued):
    storing.store(str(sealed.pk))
    with monkeypatch.context() as away:
        away.setattr(default_storage, "delete", fail)
        lifecycle.discard(recording=sealed)
    assert object_storage.names(f"recordings/{sealed.pk}/")

    row = PendingErasure.objects.get()
    PendingErasure.objects.update(retry_at=timezone.now())
    sweeper.sweep()
    assert queued("default") == [f"erase-{row.pk}"]
    run()
    assert object_storage.names(f"recordings/{sealed.pk}/") == []
    assert not PendingErasure.objects.exists()


def test_audio_is_looked_for_again_while_a_worker_may_still_write_it(sealed, monkeypatch):
    lifecycle.erase(recording_ids=[sealed.pk])
    with monkeypatch.context() as patch:
        patch.setattr(leases, "pending", lambda ids, client: {queueing.storing_job_id(sealed.pk)})
        run()
    assert PendingErasure.objects.get().retry_at > timezone.now()
    run()
    assert not PendingErasure.objects.exists()


def test_jobs_that_wait_or_failed_are_forgotten(sealed, queued):
    lifecycle.erase(recording_ids=[sealed.pk])
    assert f"store-{sealed.pk}" in queued("default")
    run()
    left = [key for key in redis_clients.sync_client().scan_iter() if str(sealed.pk).encode() in key]
    assert left == [f"voice:recording:{sealed.pk}:erased".encode()]
    assert queued("stt") == []


def test_caption_that_failed_is_not_kept():
    jobs.enqueue_now("stt-partial", "voice.workers.transcription.recognise_partial", "1", worth_s=3)
    from rq.job import Job

    (key,) = redis_clients.sync_client().lrange(jobs.key("stt-partial"), 0, -1)
    assert Job.fetch(key.decode(), connection=redis_clients.sync_client()).failure_ttl == 0


def test_half_a_file_of_a_killed_writer_is_erased(sealed):
    lifecycle.erase(recording_ids=[sealed.pk])
    default_storage.save(f"recordings/{sealed.pk}/some.flac.1234.part", ContentFile(b"half"))
    run()
    assert not Path(default_storage.path(f"recordings/{sealed.pk}")).exists()


def test_upload_to_s3_that_was_never_completed_is_erased(sealed, s3):
    storing.store(str(sealed.pk))
    name = f"recordings/{sealed.pk}/more.flac"
    for key in (name, "recordings/other/kept.flac"):
        upload = s3.create_multipart_upload(Bucket="recordings", Key=key)
        s3.upload_part(
            Bucket="recordings", Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=b"speech"
        )
    assert [upload.name for upload in object_storage.incomplete_uploads(f"recordings/{sealed.pk}/")] == [name]

    lifecycle.erase(recording_ids=[sealed.pk])
    run()
    assert [upload.name for upload in object_storage.incomplete_uploads()] == ["recordings/other/kept.flac"]
    assert list(object_storage.all_names()) == []
    assert not PendingErasure.objects.exists()
