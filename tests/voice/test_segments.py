"""A recording that grows: its older segments go to object storage while its speaker speaks."""

import pytest
from asgiref.sync import async_to_sync
from django.core.files.storage import default_storage
from django.utils import timezone

from tests.factories import tone
from voice import audio_encoding, hot_audio, jobs, queues, recordings, redis_clients
from voice.hot_audio import KEPT_BYTES, SEGMENT_BYTES
from voice.models import Recording, Transcript

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

PCM = tone(75)


@pytest.fixture
def growing() -> Recording:
    """40 s are held, 20 s of them are due."""
    recording = recordings.create(language="en", max_seconds=90)
    async_to_sync(send)(recording, 0, 2 * SEGMENT_BYTES)
    return recording


async def send(recording: Recording, start: int, end: int) -> hot_audio.Outcome:
    """Send [start, end) as one connection does."""
    await recordings.open_for(recording, writer="me")
    outcome = hot_audio.Outcome.HELD
    for at in range(start, end, 200_000):
        pcm = PCM[at : min(end, at + 200_000)]
        outcome = (await hot_audio.write(recording.id, writer="me", offset=at, pcm=pcm)).outcome
        if outcome is not hot_audio.Outcome.HELD:
            break
    await redis_clients.close_async_clients()
    return outcome


def seal(recording: Recording, at_least: int) -> Recording:
    recordings.seal(recording=recording, at_least=at_least, now=timezone.now())
    recording.refresh_from_db()
    return recording


def files(recording: Recording) -> list[str]:
    return sorted(default_storage.listdir(f"recordings/{recording.pk}")[1])


def test_a_due_segment_goes_to_object_storage(growing):
    jobs.move_segments(str(growing.pk))
    growing.refresh_from_db()
    assert growing.stored_segments == 1
    with default_storage.open(f"recordings/{growing.pk}/segment-0.pcm") as file:
        assert file.read() == PCM[:SEGMENT_BYTES]
    assert redis_clients.sync_client().exists(f"voice:recording:{growing.pk}:0") == 0


def test_moving_twice_does_it_once(growing):
    for _ in range(2):
        jobs.move_segments(str(growing.pk))
    growing.refresh_from_db()
    assert growing.stored_segments == 1
    assert files(growing) == ["segment-0.pcm"]


def test_a_moved_recording_is_read_stored_and_recognised_whole(growing, monkeypatch):
    jobs.move_segments(str(growing.pk))
    async_to_sync(send)(growing, 2 * SEGMENT_BYTES, len(PCM))
    jobs.move_segments(str(growing.pk))
    sealed = seal(growing, len(PCM))
    assert (sealed.stored_segments, sealed.byte_count) == (3, len(PCM))
    assert recordings.read_pcm(sealed) == PCM

    jobs.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert recordings.read_pcm(sealed) == PCM
    assert files(sealed) == [f"{sealed.sha256}.flac"]


def test_a_minute_that_nobody_moves_is_all_that_is_taken(growing):
    assert async_to_sync(send)(growing, 2 * SEGMENT_BYTES, len(PCM)) is hot_audio.Outcome.FULL
    jobs.move_segments(str(growing.pk))
    held = 3 * SEGMENT_BYTES - 3 * SEGMENT_BYTES % 200_000
    assert async_to_sync(send)(growing, held, len(PCM)) is hot_audio.Outcome.HELD
    assert recordings.read_pcm(seal(growing, len(PCM))) == PCM


def test_a_redis_without_its_data_costs_only_what_is_not_in_object_storage(growing):
    jobs.move_segments(str(growing.pk))
    redis_clients.sync_client().flushall()
    growing.refresh_from_db()
    assert async_to_sync(recordings.open_for)(growing, writer="me") == SEGMENT_BYTES
    async_to_sync(send)(growing, SEGMENT_BYTES, SEGMENT_BYTES + 1000)
    assert recordings.read_pcm(seal(growing, 1)) == PCM[: SEGMENT_BYTES + 1000]


def test_an_answer_that_nobody_finishes_keeps_its_segments_without_redis(growing):
    jobs.move_segments(str(growing.pk))
    redis_clients.sync_client().flushall()
    growing.refresh_from_db()
    sealed = seal(growing, 0)
    assert sealed.status == Recording.Status.SEALED
    assert recordings.read_pcm(sealed) == PCM[:SEGMENT_BYTES]


def test_an_object_storage_that_fails_leaves_the_segment_in_redis(growing, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("500")

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", refuse)
        with pytest.raises(OSError, match="500"):
            jobs.move_segments(str(growing.pk))
    growing.refresh_from_db()
    assert growing.stored_segments == 0
    assert hot_audio.read(growing.pk) == PCM[: 2 * SEGMENT_BYTES]
    jobs.move_segments(str(growing.pk))
    assert recordings.read_pcm(seal(growing, 2 * SEGMENT_BYTES)) == PCM[: 2 * SEGMENT_BYTES]


def test_half_a_segment_from_a_worker_that_died_is_replaced(growing):
    from django.core.files.base import ContentFile

    default_storage.save(f"recordings/{growing.pk}/segment-0.pcm", ContentFile(PCM[:1000]))
    jobs.move_segments(str(growing.pk))
    assert recordings.read_pcm(seal(growing, 2 * SEGMENT_BYTES)) == PCM[: 2 * SEGMENT_BYTES]


def test_a_death_between_the_row_and_redis_is_made_good_by_the_next_move(growing, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(hot_audio, "let_go", lambda *args: None)
        recordings.move_segment(growing.pk, 0)
    jobs.move_segments(str(growing.pk))
    assert hot_audio.due_segment(growing.pk) is None
    growing.refresh_from_db()
    assert growing.stored_segments == 1


@pytest.fixture
def moved_while_read(growing) -> Recording:
    """A sealed recording, one of whose segments is moved after its row was read."""
    sealed = seal(growing, 2 * SEGMENT_BYTES)
    jobs.move_segments(str(growing.pk))
    return sealed


def test_a_segment_that_is_moved_while_it_is_read_is_found(moved_while_read):
    assert moved_while_read.stored_segments == 0  # as it was read before
    assert recordings.read_pcm(moved_while_read) == PCM[: 2 * SEGMENT_BYTES]


def test_a_recording_that_is_stored_while_it_is_read_is_found(growing):
    jobs.move_segments(str(growing.pk))
    growing.refresh_from_db()
    sealed = seal(growing, 2 * SEGMENT_BYTES)
    stale = Recording.objects.get(pk=sealed.pk)
    jobs.store(str(sealed.pk))
    assert recordings.read_pcm(stale) == PCM[: 2 * SEGMENT_BYTES]


def test_discarding_deletes_the_segments(growing):
    jobs.move_segments(str(growing.pk))
    recordings.discard(recording=growing)
    assert files(growing) == []


def test_a_move_that_comes_after_discarding_leaves_no_file(growing, monkeypatch):
    segment = hot_audio.read(growing.pk, 0, SEGMENT_BYTES)

    def read_before_it_was_discarded(*args):
        recordings.discard(recording=growing)
        return segment

    monkeypatch.setattr(hot_audio, "read", read_before_it_was_discarded)
    assert recordings.move_segment(growing.pk, 0) is False
    assert files(growing) == []


def test_a_move_that_comes_after_storing_leaves_no_file(growing):
    sealed = seal(growing, 2 * SEGMENT_BYTES)
    jobs.store(str(sealed.pk))
    jobs.move_segments(str(sealed.pk))
    sealed.refresh_from_db()
    assert files(sealed) == [f"{sealed.sha256}.flac"]
    assert recordings.read_pcm(sealed) == PCM[: 2 * SEGMENT_BYTES]


def test_a_segment_that_is_moved_while_the_whole_is_stored_leaves_no_file(growing, monkeypatch):
    sealed = seal(growing, 2 * SEGMENT_BYTES)
    encode = audio_encoding.encode_flac

    def encode_after_a_move(pcm):
        jobs.move_segments(str(sealed.pk))
        return encode(pcm)

    monkeypatch.setattr(audio_encoding, "encode_flac", encode_after_a_move)
    jobs.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert sealed.stored_segments == 1
    assert files(sealed) == [f"{sealed.sha256}.flac"]


def test_moving_asks_the_database_once_a_segment_and_never_when_nothing_is_due(
    growing, django_assert_num_queries
):
    with django_assert_num_queries(1):
        jobs.move_segments(str(growing.pk))
    with django_assert_num_queries(0):
        jobs.move_segments(str(growing.pk))


def test_moving_goes_before_storing():
    queues.enqueue_now("default", "voice.jobs.store", "a", job_id="store-a")
    recording = recordings.create(language="en", max_seconds=1)
    recordings.queue_moving(recording.pk)
    assert redis_clients.sync_client().lindex("rq:queue:default", 0) == f"move-{recording.pk}".encode()


@pytest.mark.parametrize("is_off", [True, False])
def test_under_load_the_text_follows_later(growing, monkeypatch, is_off):
    monkeypatch.setattr("voice.retreat.is_off", lambda step: is_off)
    sealed = seal(growing, KEPT_BYTES)
    assert Transcript.objects.get(recording=sealed).is_deferred is is_off
    queue = "stt-later" if is_off else "stt"
    job_id = recordings.transcription_job_id(sealed.pk).encode()
    assert redis_clients.sync_client().lrange(queues.key(queue), 0, -1) == [job_id]


def test_the_sweeper_brings_a_deferred_transcript_to_its_queue(growing, monkeypatch):
    monkeypatch.setattr("voice.retreat.is_off", lambda step: True)
    sealed = seal(growing, KEPT_BYTES)
    redis_clients.sync_client().delete(queues.key("stt-later"), f"rq:job:transcribe-{sealed.pk}")
    Transcript.objects.update(retry_at=timezone.now())
    jobs.sweep()
    job_id = recordings.transcription_job_id(sealed.pk).encode()
    assert redis_clients.sync_client().lrange(queues.key("stt-later"), 0, -1) == [job_id]
