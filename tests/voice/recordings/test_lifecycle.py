import hashlib
from datetime import timedelta

import pytest
import redis
from asgiref.sync import async_to_sync
from botocore.exceptions import EndpointConnectionError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from tests import redis_connections
from tests.factories import tone
from voice import errors, signals
from voice.audio import decoding, encoding
from voice.audio.pcm import samples_from_s16le
from voice.errors import AudioRejected, EngineUnavailable
from voice.infra import redis_clients
from voice.models import Recording, Transcript
from voice.recordings import buffer, lifecycle, storage
from voice.workers import attempts, storing, sweeper, transcription

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

PCM = tone(0.7)


@pytest.fixture
def sealed() -> Recording:
    recording = lifecycle.create(language="en", max_seconds=10)
    async_to_sync(fill)(recording, PCM)
    lifecycle.seal(recording=recording, at_least=len(PCM), now=timezone.now() - lifecycle.NOT_SWEPT)
    recording.refresh_from_db()
    return recording


async def fill(recording: Recording, pcm: bytes) -> None:
    await lifecycle.open_for(recording, writer="test")
    await buffer.write(recording.id, writer="test", offset=0, pcm=pcm)
    await redis_connections.close_those_of_this_loop()


@pytest.fixture
def heard():
    """Signals in order, as (name, row)."""
    received = []
    on_stored = lambda sender, recording, **kw: received.append(("stored", recording))  # noqa: E731
    on_finished = lambda sender, transcript, **kw: received.append(("transcript", transcript))  # noqa: E731
    signals.recording_stored.connect(on_stored)
    signals.transcript_finished.connect(on_finished)
    yield received
    signals.recording_stored.disconnect(on_stored)
    signals.transcript_finished.disconnect(on_finished)


def stored_pcm(recording: Recording) -> bytes:
    with default_storage.open(recording.storage_name) as file:
        return decoding.decode_flac(file.read())[0]


def test_store_keeps_every_sample_and_says_so_once(sealed, heard):
    for _ in range(2):
        storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert sealed.status == Recording.Status.STORED
    assert stored_pcm(sealed) == PCM
    assert sealed.sha256 == hashlib.sha256(PCM).hexdigest()
    assert heard == [("stored", sealed)]


def test_store_tells_of_the_row_as_it_is_now(sealed, heard):
    storing.store(str(sealed.pk))
    (_, told) = heard[0]
    sealed.refresh_from_db()
    names = [field.attname for field in Recording._meta.concrete_fields]
    assert [getattr(told, name) for name in names] == [getattr(sealed, name) for name in names]


def test_a_file_with_other_samples_is_not_called_stored(sealed, heard, monkeypatch):
    other = bytearray(PCM)
    other[-1] ^= 1
    flac = encoding.encode_flac(bytes(other))
    monkeypatch.setattr(encoding, "encode_flac", lambda pcm: flac)
    with pytest.raises(OSError, match="does not hold the samples"):
        storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert sealed.status == Recording.Status.SEALED
    assert heard == []


def test_store_deletes_the_hot_copy_and_a_transcription_that_comes_later_reads_the_file(
    sealed, heard, fake_recognition
):
    before = Recording.objects.get(pk=sealed.pk)
    storing.store(str(sealed.pk))
    assert redis_clients.sync_client().keys("voice:recording:*") == []
    assert storage.read_pcm(before) == PCM
    transcription.transcribe(str(sealed.pk))
    assert Transcript.objects.get(recording=sealed).status == Transcript.Status.DONE


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_store_replaces_half_a_file(sealed, share):
    digest, flac = hashlib.sha256(PCM).hexdigest(), encoding.encode_flac(PCM)
    half = flac[: int(len(flac) * share)]
    name = default_storage.save(f"recordings/{sealed.pk}/{digest}.flac", ContentFile(half))
    storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert sealed.storage_name == name
    assert stored_pcm(sealed) == PCM


def test_store_of_lost_audio_waits_for_its_source(sealed):
    buffer.delete(sealed.pk)
    with pytest.raises(errors.AudioMissing):
        storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert sealed.status == Recording.Status.SEALED


def test_store_of_a_discarded_recording_leaves_no_file(sealed):
    lifecycle.discard(recording=sealed)
    storing.store(str(sealed.pk))
    assert not list(files_of(sealed))


@pytest.mark.parametrize(
    ("module", "step"), [(buffer, "read"), (encoding, "encode_flac"), (storage, "read_file")]
)
def test_store_of_what_is_discarded_meanwhile_ends_without_a_word_or_a_file(
    sealed, heard, monkeypatch, module, step
):
    go_on = getattr(module, step)

    def discard_first(*args, **options):
        monkeypatch.undo()
        lifecycle.discard(recording=sealed)
        return go_on(*args, **options)

    monkeypatch.setattr(module, step, discard_first)
    storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert sealed.status == Recording.Status.DISCARDED
    assert list(files_of(sealed)) == heard == []


def test_transcription_of_what_is_discarded_while_it_is_read_ends_without_a_word(sealed, heard, monkeypatch):
    read = buffer.read

    def discard_first(*args):
        monkeypatch.undo()
        lifecycle.discard(recording=sealed)
        return read(*args)

    monkeypatch.setattr(buffer, "read", discard_first)
    transcription.transcribe(str(sealed.pk))
    assert heard == []


def test_discard_deletes_audio_file_and_text(sealed):
    storing.store(str(sealed.pk))
    lifecycle.discard(recording=sealed)
    sealed.refresh_from_db()
    assert sealed.status == Recording.Status.DISCARDED
    assert not list(files_of(sealed))
    assert buffer.read(sealed.pk) == b""
    assert not Transcript.objects.filter(recording=sealed).exists()


def files_of(recording: Recording):
    try:
        return default_storage.listdir(f"recordings/{recording.pk}")[1]
    except FileNotFoundError:
        return []


def test_recording_without_a_sample_is_discarded():
    recording = lifecycle.create(language="en", max_seconds=10)
    assert lifecycle.seal(recording=recording, at_least=0, now=timezone.now())
    recording.refresh_from_db()
    assert (recording.status, recording.byte_count) == (Recording.Status.DISCARDED, 0)
    assert not Transcript.objects.exists()


def test_transcribe_twice_makes_one_transcript(sealed, heard, fake_recognition):
    for _ in range(2):
        transcription.transcribe(str(sealed.pk))
    transcript = Transcript.objects.get(recording=sealed)
    assert transcript.status == Transcript.Status.DONE
    heard_words = fake_recognition.recognize(samples_from_s16le(PCM), language="en").words
    assert [w["word"] for w in transcript.words] == [w.text for w in heard_words]
    assert [w["end"] for w in transcript.words] == pytest.approx([w.end_s for w in heard_words], abs=0.001)
    assert heard == [("transcript", transcript)]


def test_transcribe_reads_the_stored_file_when_redis_has_let_go(sealed, fake_recognition):
    storing.store(str(sealed.pk))
    buffer.delete(sealed.pk)
    transcription.transcribe(str(sealed.pk))
    assert Transcript.objects.get(recording=sealed).status == Transcript.Status.DONE


def test_transcribe_without_an_engine_waits_and_says_why(sealed, fail_recognition):
    fail_recognition(EngineUnavailable("No engine speaks Klingon."))
    with pytest.raises(EngineUnavailable):
        transcription.transcribe(str(sealed.pk))
    transcript = Transcript.objects.get(recording=sealed)
    assert (transcript.status, transcript.attempts) == (Transcript.Status.WAITING, 0)
    assert transcript.last_error == "No engine speaks Klingon."
    assert transcript.retry_at > timezone.now() + timedelta(seconds=attempts.ENGINE_RETRY_S - 5)


@pytest.mark.parametrize("error", [OSError("gone"), EndpointConnectionError(endpoint_url="s3")])
def test_transcribe_waits_out_a_storage_that_is_away(sealed, fake_recognition, monkeypatch, error):
    storing.store(str(sealed.pk))

    def fail(*args, **options):
        raise error

    monkeypatch.setattr(storage, "read_file", fail)
    for _ in range(attempts.MAX_ATTEMPTS + 1):
        with pytest.raises(type(error)):
            transcription.transcribe(str(sealed.pk))
    transcript = Transcript.objects.get(recording=sealed)
    assert (transcript.status, transcript.attempts) == (Transcript.Status.WAITING, 0)


def test_transcribe_of_rejected_audio_is_given_up_at_once(sealed, fail_recognition):
    fail_recognition(AudioRejected("The audio is no audio."))
    with pytest.raises(AudioRejected):
        transcription.transcribe(str(sealed.pk))
    transcript = Transcript.objects.get(recording=sealed)
    assert (transcript.status, transcript.last_error) == (Transcript.Status.FAILED, "The audio is no audio.")


def test_stored_is_told_even_if_redis_is_away(sealed, heard, monkeypatch):
    def away(recording_id):
        raise redis.ConnectionError

    monkeypatch.setattr(buffer, "delete", away)
    storing.store(str(sealed.pk))
    assert heard == [("stored", sealed)]


def test_failed_storing_lets_others_go_first(sealed, queued):
    buffer.delete(sealed.pk)
    with pytest.raises(errors.AudioMissing):
        storing.store(str(sealed.pk))
    redis_clients.sync_client().flushdb()
    sweeper.sweep()
    assert queued("default") == []


def test_transcribe_that_kills_its_worker_is_given_up(sealed, heard):
    Transcript.objects.filter(recording=sealed).update(attempts=attempts.MAX_ATTEMPTS)
    transcription.transcribe(str(sealed.pk))
    transcript = Transcript.objects.get(recording=sealed)
    assert transcript.status == Transcript.Status.FAILED
    assert "ended each time" in transcript.last_error
    assert heard == [("transcript", transcript)]


def test_sweep_queues_what_no_live_job_works_on(sealed, queued):
    redis_clients.sync_client().flushdb()  # every queue is lost
    sweeper.sweep()
    assert queued("stt") == [f"transcribe-{sealed.pk}"]
    assert queued("default") == [f"store-{sealed.pk}"]


def test_sweep_leaves_alone_what_is_being_queued_right_now(queued):
    recording = lifecycle.create(language="en", max_seconds=10)
    async_to_sync(fill)(recording, PCM)
    lifecycle.seal(recording=recording, at_least=len(PCM), now=timezone.now())
    redis_clients.sync_client().flushdb()
    sweeper.sweep()
    assert queued("stt") == queued("default") == []


def test_sweep_leaves_queued_jobs_alone(sealed, queued):
    sweeper.sweep()
    sweeper.sweep()
    assert queued("stt") == [f"transcribe-{sealed.pk}"]
    assert queued("default") == [f"store-{sealed.pk}"]


def test_sweep_respects_the_time_to_wait(sealed, queued):
    Transcript.objects.update(retry_at=timezone.now() + timedelta(minutes=1))
    redis_clients.sync_client().flushdb()
    sweeper.sweep()
    assert queued("stt") == []


def test_retry_backs_off_exponentially_to_its_bound():
    assert [attempts.retry_s(n) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]
