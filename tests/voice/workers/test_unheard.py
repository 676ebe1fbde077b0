"""Recordings in a language that no engine recognises."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from tests import redis_connections
from tests.factories import tone
from tests.voice.web.rest import recording as uploaded
from voice import signals
from voice.errors import LanguageUnsupported
from voice.inference import reports
from voice.inference.reports import DETECTED, EngineReport
from voice.models import BatchFile, Recording, Transcript
from voice.recordings import buffer, lifecycle
from voice.service import batches
from voice.service.requests import TranscriptionRequest
from voice.workers import sweeper, transcription

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

Status = Transcript.Status
PCM = tone(0.5)


@pytest.fixture
def german() -> Recording:
    recording = lifecycle.create(language="de", max_seconds=10)
    async_to_sync(fill)(recording)
    lifecycle.seal(recording=recording, at_least=len(PCM), now=timezone.now() - lifecycle.NOT_SWEPT)
    return recording


async def fill(recording: Recording) -> None:
    await lifecycle.open_for(recording, writer="test")
    await buffer.write(recording.id, writer="test", offset=0, pcm=PCM)
    await redis_connections.close_those_of_this_loop()


@pytest.fixture
def told():
    received = []
    receive = lambda sender, transcript, **kw: received.append(transcript.status)  # noqa: E731
    signals.transcript_finished.connect(receive)
    yield received
    signals.transcript_finished.disconnect(receive)


def serve(client, *languages: str, state: str = "ready") -> None:
    report = EngineReport("recognition", "some", "m", "cpu", state, languages=languages)
    reports.publish([report], client)


def sweep(client) -> None:
    client.delete("rq:queue:stt")
    Transcript.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    sweeper.sweep()


def test_job_sets_the_transcript_aside_and_does_not_fail(german, fail_recognition, told):
    fail_recognition(LanguageUnsupported("No engine recognises 'de'."))

    transcription.transcribe(str(german.pk))

    transcript = Transcript.objects.get()
    assert (transcript.status, transcript.attempts) == (Status.NO_ENGINE, 0)
    assert transcript.last_error == "No engine recognises 'de'."
    assert told == [Status.NO_ENGINE]


def test_transcript_that_was_set_aside_is_not_queued_again(german, clean_redis, queued):
    Transcript.objects.update(status=Status.NO_ENGINE)
    serve(clean_redis, "en")

    sweep(clean_redis)

    assert queued("stt") == []


def test_engine_that_appears_gets_what_was_set_aside(german, clean_redis, queued):
    Transcript.objects.update(status=Status.NO_ENGINE, last_error="No engine.")
    serve(clean_redis, "en", "de")

    sweep(clean_redis)

    assert Transcript.objects.get().status == Status.WAITING
    assert queued("stt") == [f"transcribe-{german.pk}"]


def test_what_waits_is_set_aside_before_any_worker_takes_it(german, clean_redis, queued, told):
    serve(clean_redis, "en", DETECTED)

    sweep(clean_redis)

    assert Transcript.objects.get().status == Status.NO_ENGINE
    assert queued("stt") == []
    assert told == [Status.NO_ENGINE]


@pytest.mark.parametrize("state", [None, "unavailable"])
def test_nothing_is_set_aside_while_no_engine_is_known(german, clean_redis, queued, state):
    if state:
        serve(clean_redis, "en", state=state)

    sweep(clean_redis)

    assert Transcript.objects.get().status == Status.WAITING
    assert queued("stt") == [f"transcribe-{german.pk}"]


def test_file_of_a_batch_fails_at_once_and_says_why(fail_recognition):
    fail_recognition(LanguageUnsupported("No engine recognises 'de'."))
    batch = batches.create(
        owner="organisation:1", request=TranscriptionRequest(language="de"), files=[uploaded()]
    )

    transcription.transcribe_file(str(batch.files.get().pk))

    row = batch.files.get()
    assert (row.status, row.last_error) == (BatchFile.Status.FAILED, "No engine recognises 'de'.")
