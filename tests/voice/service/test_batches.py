"""Batches of files: submitted, transcribed once, and read and deleted only by their owner."""

import contextlib
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, TestCase
from django.utils import timezone

from tests import factories
from tests.voice.web.rest import KeyClient, recording
from voice.callers import READ, WRITE
from voice.errors import EngineUnavailable, RequestRefused
from voice.models import Batch, BatchFile
from voice.service import batches
from voice.service.requests import TranscriptionRequest
from voice.workers import answering, attempts, storing, sweeper, transcription

V1 = "/api/v1/voice/batches"
OWNER = "organisation:1"


@pytest.fixture
def stranger(transactional_db):
    return KeyClient(factories.ApiKeyFactory(scopes=[READ, WRITE]).plain)


@pytest.fixture
def batch(db, clean_redis, settings, tmp_path):
    """A waiting batch of two recordings and a file without audio."""
    return make_batch(recording(name="one.wav"), recording(2.0, "two.wav"), no_audio())


def no_audio():
    return SimpleUploadedFile("three.txt", b"This is no audio at all.")


def make_batch(*files, **options):
    return batches.create(owner=OWNER, request=TranscriptionRequest(**options), files=files)


def recognise(row):
    """Run the worker's job, with any result."""
    with contextlib.suppress(Exception):  # the row has the error
        transcription.transcribe_file(str(row.pk))
    row.refresh_from_db()
    return row


def due(rows):
    rows.update(retry_at=timezone.now() - timedelta(seconds=1))


# Jobs


@pytest.mark.django_db(transaction=True)
def test_every_file_is_queued_by_its_id(batch, queued):
    assert queued("stt-batch") == [f"transcribe-file-{row.pk}" for row in batch.files.order_by("position")]


def test_file_is_recognised_once_and_its_upload_deleted(batch, fake_recognition):
    row = batch.files.get(position=0)
    upload = row.storage_name
    for _ in range(2):
        recognise(row)
    assert (row.status, row.text, row.language) == ("done", "I led a team of five.", "en")
    assert (row.duration_s, row.engine) == (pytest.approx(1.0, abs=0.01), "fake")
    assert len(fake_recognition.heard) == 1
    assert row.storage_name == ""
    assert not default_storage.exists(upload)


def test_batch_options_reach_the_recogniser(db, clean_redis, fake_recognition, monkeypatch):
    monkeypatch.setattr(answering, "with_speakers", lambda samples, result: (result, ["Speaker 1"]))
    batch = make_batch(recording(), language="de", hot_words="Kubernetes", is_diarized=True)
    row = recognise(batch.files.get())
    assert (fake_recognition.heard[0].language, fake_recognition.heard[0].hot_words) == ("de", "Kubernetes")
    assert row.segments[0]["speaker"] == "Speaker 1"


def test_file_that_is_no_audio_fails_and_says_why(batch, fake_recognition):
    row = recognise(batch.files.get(position=2))
    assert (row.status, row.storage_name) == ("failed", "")
    assert "read as audio" in row.last_error


def test_file_waits_for_an_engine_as_long_as_it_takes(batch, fail_recognition):
    fail_recognition(EngineUnavailable("No model."))
    row = batch.files.get(position=0)
    for _ in range(attempts.MAX_ATTEMPTS + 1):
        recognise(row)
    assert (row.status, row.attempts, row.last_error) == ("waiting", 0, "No model.")
    assert default_storage.exists(row.storage_name)


def test_file_that_always_fails_is_given_up(batch, fail_recognition):
    fail_recognition(ValueError("what somebody said"))
    row = batch.files.get(position=0)
    for _ in range(attempts.MAX_ATTEMPTS + 1):
        recognise(row)
    assert row.status == "failed"
    assert "somebody" not in row.last_error


def test_file_whose_upload_is_gone_is_given_up(batch, fake_recognition):
    row = batch.files.get(position=0)
    default_storage.delete(row.storage_name)
    recognise(row)
    assert (row.status, row.storage_name) == ("failed", "")
    assert "send it again" in row.last_error


def test_upload_that_could_not_be_deleted_is_deleted_later(batch, fake_recognition, queued, monkeypatch):
    row = batch.files.get(position=0)
    upload = row.storage_name
    with monkeypatch.context() as away:
        away.setattr(default_storage, "delete", fail_to_delete)
        recognise(row)
        assert (row.status, row.storage_name) == ("done", upload)
        with pytest.raises(OSError, match="away"):
            storing.delete_upload(str(row.pk))
    assert BatchFile.objects.get(pk=row.pk).retry_at > timezone.now()
    due(batch.files)
    batch.files.exclude(pk=row.pk).delete()
    with TestCase.captureOnCommitCallbacks(execute=True):
        sweeper.sweep()
    assert queued("default") == [f"delete-upload-{row.pk}"]
    storing.delete_upload(str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.storage_name, row.last_error) == ("done", "", "")
    assert not default_storage.exists(upload)


def fail_to_delete(name):
    raise OSError("away")


def test_upload_of_a_waiting_file_is_not_deleted(batch):
    row = batch.files.get(position=0)
    storing.delete_upload(str(row.pk))
    assert default_storage.exists(row.storage_name)


def test_batch_whose_uploads_cannot_be_deleted_stays(batch, monkeypatch):
    monkeypatch.setattr(default_storage, "delete", fail_to_delete)
    with pytest.raises(OSError, match="away"):
        batches.delete(batch)
    assert batch.files.count() == 3


def test_files_are_known_before_they_are_kept(db, clean_redis, monkeypatch):
    known = []

    def save(name, content):
        row = BatchFile.objects.get(storage_name=name)
        known.append(row.retry_at > timezone.now())  # the sweeper skips it for this time
        return name

    monkeypatch.setattr(default_storage, "save", save)
    batch = make_batch(recording(), recording())
    assert known == [True, True]
    assert batch.files.filter(retry_at__lte=timezone.now()).count() == 2


def test_file_name_that_no_store_takes_is_cleaned(db, clean_redis):
    file = recording()
    file._name = "an\ud800swer\x00.wav"
    assert make_batch(file).files.get().file_name == "answer.wav"


@pytest.mark.django_db(transaction=True)
def test_sweep_queues_again_what_no_job_works_on(batch, clean_redis, queued):
    clean_redis.flushdb()
    due(batch.files)
    sweeper.sweep()
    assert len(queued("stt-batch")) == 3


def test_file_of_a_deleted_batch_is_no_work(batch, fake_recognition):
    row = batch.files.get(position=0)
    upload = row.storage_name
    batches.delete(batch)
    transcription.transcribe_file(str(row.pk))
    assert fake_recognition.heard == []
    assert not default_storage.exists(upload)


def test_batch_deleted_during_its_recognition_stays_deleted(batch, use_recognition, fake_recognition):
    class Slow:
        def recognize(self, samples, **options):
            batches.delete(batch)
            return fake_recognition.recognize(samples, **options)

    use_recognition(Slow())
    transcription.transcribe_file(str(batch.files.get(position=0).pk))
    assert not BatchFile.objects.exists()


@pytest.mark.parametrize(
    ("files", "field"),
    [
        ([], "files"),
        ([recording()] * 3, "files"),
        ([recording(), SimpleUploadedFile("empty.wav", b"")], "files.1"),
        ([SimpleUploadedFile("large.wav", bytes(1024**2 + 1))], "files.0"),
    ],
)
def test_batch_that_cannot_be_recognised_is_refused_whole(db, clean_redis, settings, files, field):
    settings.VOICE = settings.VOICE | {"MAX_BATCH_FILES": 2, "MAX_UPLOAD_MB": 1}
    with pytest.raises(RequestRefused) as refused:
        make_batch(*files)
    assert refused.value.field == field
    assert not Batch.objects.exists()


def test_storage_that_fails_leaves_nothing_behind(db, clean_redis, monkeypatch):
    saved = []
    save = default_storage.save

    def fail_second(name, content):
        if saved:
            raise OSError("full")
        saved.append(save(name, content))
        return saved[0]

    monkeypatch.setattr(default_storage, "save", fail_second)
    with pytest.raises(OSError, match="full"):
        make_batch(recording(), recording())
    assert not default_storage.exists(saved[0])
    assert not Batch.objects.exists()


# REST


async def test_batch_goes_from_upload_to_results(api, worker):
    files = [recording(name="one.wav"), recording(name="two.wav")]
    response = await api.post(V1, {"files": files, "language": "en"})
    assert response.status_code == 202
    batch_id = response.json()["id"]
    progress = await until_done(api, batch_id)
    assert [file["name"] for file in progress["files"]] == ["one.wav", "two.wav"]
    assert (progress["done"], progress["total"], progress["failed"]) == (2, 2, 0)
    address = f"{V1}/{batch_id}/files/{progress['files'][0]['id']}"
    heard = (await api.get(address)).json()
    assert (heard["text"], heard["confidence"]) == ("I led a team of five.", 0.9)
    assert heard["segments"][0]["words"][0]["word"] == "I"
    srt = await api.get(address, {"format": "srt"})
    assert srt.content.decode().startswith("1\n00:00:00,000 --> ")
    assert (await api.get(address, {"format": "text"})).content == b"I led a team of five.\n"
    assert (await api.get(address, {"format": "docx"})).status_code == 422


async def until_done(api, batch_id):
    for _ in range(1000):
        progress = (await api.get(f"{V1}/{batch_id}")).json()
        if progress["done"] == progress["total"]:
            return progress
    raise TimeoutError(progress)


async def test_file_without_result_is_a_conflict(api, engines):
    batch_id = (await api.post(V1, {"files": [recording()]})).json()["id"]
    progress = (await api.get(f"{V1}/{batch_id}")).json()
    assert (progress["done"], progress["files"][0]["status"]) == (0, "waiting")
    response = await api.get(f"{V1}/{batch_id}/files/{progress['files'][0]['id']}")
    assert (response.status_code, response.json()["code"]) == (409, "file_waiting")


async def test_batches_are_listed_and_forgotten(api, engines, queued):
    ids = [(await api.post(V1, {"files": [recording()]})).json()["id"] for _ in range(3)]
    page = (await api.get(V1, {"limit": 2})).json()
    assert (page["count"], [item["id"] for item in page["items"]]) == (3, ids[:0:-1])
    assert (await api.delete(f"{V1}/{ids[0]}")).status_code == 204
    assert (await api.get(f"{V1}/{ids[0]}")).status_code == 404
    assert (await api.get(V1)).json()["count"] == 2


async def test_batch_of_another_owner_does_not_exist(api, stranger, engines):
    batch_id = (await api.post(V1, {"files": [recording()]})).json()["id"]
    file_id = (await api.get(f"{V1}/{batch_id}")).json()["files"][0]["id"]
    assert (await stranger.get(f"{V1}/{batch_id}")).status_code == 404
    assert (await stranger.get(f"{V1}/{batch_id}/files/{file_id}")).status_code == 404
    assert (await stranger.delete(f"{V1}/{batch_id}")).status_code == 404
    assert (await stranger.get(V1)).json()["count"] == 0
    assert (await api.get(f"{V1}/{batch_id}")).status_code == 200


async def test_who_is_not_known_owns_no_batch(transactional_db, engines, settings, queued):
    settings.VOICE = settings.VOICE | {"IS_PUBLIC": True}
    stranger = AsyncClient()
    nothing = "00000000-0000-4000-8000-000000000000"
    answers = [
        await stranger.post(V1, {"files": [recording()]}),
        await stranger.get(V1),
        await stranger.get(f"{V1}/{nothing}"),
        await stranger.get(f"{V1}/{nothing}/files/{nothing}"),
        await stranger.delete(f"{V1}/{nothing}"),
    ]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(403, "forbidden")] * 5
    assert "API key" in answers[0].json()["detail"]
    assert queued("stt-batch") == []


async def test_language_that_is_too_long_is_refused(api, engines):
    response = await api.post(V1, {"files": [recording()], "language": "en-abcdefgh-abcdefgh"})
    assert (response.status_code, response.json()["field"]) == (422, "language")
    assert "16" in response.json()["detail"]


async def test_batch_without_files_names_the_field(api, engines):
    response = await api.post(V1, {"language": "en"})
    assert (response.status_code, response.json()["field"]) == (422, "files")
