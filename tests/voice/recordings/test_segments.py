"""A growing recording: older segments move to object storage while the candidate speaks."""

import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from tests import redis_connections
from tests.factories import tone
from tests.voice.recordings.test_buffer import rest
from voice.audio import encoding
from voice.infra import object_storage, redis_clients
from voice.models import Recording, Transcript
from voice.queues import jobs
from voice.recordings import buffer, lifecycle, queueing, storage
from voice.recordings.buffer import KEPT_BYTES, SEGMENT_BYTES
from voice.workers import storing, sweeper

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

PCM = tone(80)


@pytest.fixture
def growing() -> Recording:
    """A recording with 40 s in Redis; 20 s of them are due."""
    recording = lifecycle.create(language="en", max_seconds=90)
    async_to_sync(send)(recording, 0, 2 * SEGMENT_BYTES)
    return recording


async def send(recording: Recording, start: int, end: int) -> buffer.Outcome:
    """Send [start, end) over a new connection."""
    await lifecycle.open_for(recording, writer="me")
    return (await go_on(recording, start, end)).outcome


async def go_on(recording: Recording, start: int, end: int) -> buffer.Write:
    """Send [start, end) over the same connection, as far as it is accepted."""
    for at in range(start, end, 200_000):
        pcm = PCM[at : min(end, at + 200_000)]
        write = await buffer.write(recording.id, writer="me", offset=at, pcm=pcm)
        if write.outcome is not buffer.Outcome.HELD:
            break
    await redis_connections.close_those_of_this_loop()
    return write


def short(size: int = 1000) -> Recording:
    recording = lifecycle.create(language="en", max_seconds=90)
    async_to_sync(send)(recording, 0, size)
    return recording


def seal(recording: Recording, at_least: int) -> Recording:
    lifecycle.seal(recording=recording, at_least=at_least, now=timezone.now())
    recording.refresh_from_db()
    return recording


def queued() -> list[str]:
    ids = redis_clients.sync_client().lrange(jobs.key("default"), 0, -1)
    return [job_id.decode() for job_id in ids]


def hot_bytes(recording: Recording) -> int:
    client = redis_clients.sync_client()
    keys = client.keys(f"voice:recording:{recording.pk}:[0-9]*")
    return sum(client.strlen(key) for key in keys)


def files(recording: Recording) -> list[str]:
    return sorted(name.rpartition("/")[2] for name in object_storage.names(f"recordings/{recording.pk}/"))


def test_a_due_segment_goes_to_object_storage(growing):
    storing.move_segments(str(growing.pk))
    growing.refresh_from_db()
    assert growing.segment_ends == [SEGMENT_BYTES]
    with default_storage.open(f"recordings/{growing.pk}/segment-0-{SEGMENT_BYTES}.pcm") as file:
        assert file.read() == PCM[:SEGMENT_BYTES]
    assert redis_clients.sync_client().exists(f"voice:recording:{growing.pk}:0") == 0


def test_moving_twice_does_it_once(growing):
    for _ in range(2):
        storing.move_segments(str(growing.pk))
    growing.refresh_from_db()
    assert growing.segment_ends == [SEGMENT_BYTES]
    assert files(growing) == [f"segment-0-{SEGMENT_BYTES}.pcm"]


def test_a_moved_recording_is_read_and_stored_whole(growing):
    storing.move_segments(str(growing.pk))
    async_to_sync(send)(growing, 2 * SEGMENT_BYTES, len(PCM))
    storing.move_segments(str(growing.pk))
    sealed = seal(growing, len(PCM))
    assert (sealed.moved_bytes, sealed.byte_count) == (3 * SEGMENT_BYTES, len(PCM))
    assert storage.read_pcm(sealed) == PCM

    storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert storage.read_pcm(sealed) == PCM
    assert files(sealed) == [f"{sealed.sha256}.flac"]


def test_a_minute_that_nobody_moves_is_all_that_is_taken(growing):
    assert async_to_sync(send)(growing, 2 * SEGMENT_BYTES, len(PCM)) is buffer.Outcome.FULL
    storing.move_segments(str(growing.pk))
    held = 3 * SEGMENT_BYTES - 3 * SEGMENT_BYTES % 200_000
    assert async_to_sync(send)(growing, held, len(PCM)) is buffer.Outcome.HELD
    assert storage.read_pcm(seal(growing, len(PCM))) == PCM


def test_a_redis_without_its_data_costs_only_what_is_not_in_object_storage(growing):
    storing.move_segments(str(growing.pk))
    redis_clients.sync_client().flushall()
    growing.refresh_from_db()
    assert async_to_sync(lifecycle.open_for)(growing, writer="me") == SEGMENT_BYTES
    async_to_sync(send)(growing, SEGMENT_BYTES, SEGMENT_BYTES + 1000)
    assert storage.read_pcm(seal(growing, 1)) == PCM[: SEGMENT_BYTES + 1000]


def test_an_answer_that_nobody_finishes_keeps_its_segments_without_redis(growing):
    storing.move_segments(str(growing.pk))
    redis_clients.sync_client().flushall()
    growing.refresh_from_db()
    sealed = seal(growing, 0)
    assert sealed.status == Recording.Status.SEALED
    assert storage.read_pcm(sealed) == PCM[:SEGMENT_BYTES]


def test_an_object_storage_that_fails_leaves_the_segment_in_redis(growing, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("500")

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", refuse)
        with pytest.raises(OSError, match="500"):
            storing.move_segments(str(growing.pk))
    growing.refresh_from_db()
    assert growing.segment_ends == []
    assert buffer.read(growing.pk) == PCM[: 2 * SEGMENT_BYTES]
    storing.move_segments(str(growing.pk))
    assert storage.read_pcm(seal(growing, 2 * SEGMENT_BYTES)) == PCM[: 2 * SEGMENT_BYTES]


def test_half_a_segment_from_a_worker_that_died_is_replaced(growing):
    default_storage.save(f"recordings/{growing.pk}/segment-0-{SEGMENT_BYTES}.pcm", ContentFile(PCM[:1000]))
    storing.move_segments(str(growing.pk))
    assert storage.read_pcm(seal(growing, 2 * SEGMENT_BYTES)) == PCM[: 2 * SEGMENT_BYTES]


def test_a_death_between_the_row_and_redis_is_made_good_by_the_next_move(growing, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(buffer, "let_go", lambda *args: None)
        storage.move_segment(growing.pk, 0, SEGMENT_BYTES)
    storing.move_segments(str(growing.pk))
    assert buffer.due(growing.pk) is None
    growing.refresh_from_db()
    assert growing.segment_ends == [SEGMENT_BYTES]


@pytest.fixture
def moved_while_read(growing) -> Recording:
    """A sealed recording with a segment that moved after its row was read."""
    sealed = seal(growing, 2 * SEGMENT_BYTES)
    storing.move_segments(str(growing.pk))
    return sealed


def test_a_segment_that_is_moved_while_it_is_read_is_found(moved_while_read):
    assert moved_while_read.segment_ends == []  # the outdated row
    assert storage.read_pcm(moved_while_read) == PCM[: 2 * SEGMENT_BYTES]


def test_a_recording_that_is_stored_while_it_is_read_is_found(growing):
    storing.move_segments(str(growing.pk))
    growing.refresh_from_db()
    sealed = seal(growing, 2 * SEGMENT_BYTES)
    stale = Recording.objects.get(pk=sealed.pk)
    storing.store(str(sealed.pk))
    assert storage.read_pcm(stale) == PCM[: 2 * SEGMENT_BYTES]


def test_what_nobody_goes_on_with_leaves_redis_and_goes_on_when_somebody_does(growing):
    storing.move_resting()
    assert queued() == [f"move-{growing.pk}"]  # 20 s are due anyway
    storing.move_segments(str(growing.pk))
    redis_clients.sync_client().delete(jobs.key("default"), f"rq:job:move-{growing.pk}")
    storing.move_resting()
    assert queued() == []
    async_to_sync(send)(growing, 2 * SEGMENT_BYTES, 2 * SEGMENT_BYTES + 1000)
    rest(growing.pk)
    storing.move_resting()
    assert queued() == [f"move-{growing.pk}"]
    storing.move_segments(str(growing.pk))
    growing.refresh_from_db()
    ends = [SEGMENT_BYTES, 2 * SEGMENT_BYTES, 2 * SEGMENT_BYTES + 1000]
    assert growing.segment_ends == ends
    assert hot_bytes(growing) == 0

    assert async_to_sync(lifecycle.open_for)(growing, writer="me") == growing.moved_bytes
    async_to_sync(send)(growing, growing.moved_bytes, len(PCM))
    storing.move_segments(str(growing.pk))
    sealed = seal(growing, len(PCM))
    assert sealed.segment_ends == [*ends, 3 * SEGMENT_BYTES]
    assert storage.read_pcm(sealed) == PCM
    storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert storage.read_pcm(sealed) == PCM
    assert files(sealed) == [f"{sealed.sha256}.flac"]


def test_a_short_answer_that_rested_leaves_no_segment_behind():
    recording = short()
    rest(recording.pk)
    storing.move_segments(str(recording.pk))
    sealed = seal(recording, 1000)
    assert sealed.segment_ends == [1000]
    storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert files(sealed) == [f"{sealed.sha256}.flac"]
    assert storage.read_pcm(sealed) == PCM[:1000]


def test_a_candidate_who_comes_back_while_the_rest_is_moved_loses_nothing(growing, monkeypatch):
    write_once = storage.write_once

    def send_meanwhile(*args, **kwargs):
        async_to_sync(send)(growing, 2 * SEGMENT_BYTES, 2 * SEGMENT_BYTES + 1000)
        return write_once(*args, **kwargs)

    storing.move_segments(str(growing.pk))
    rest(growing.pk)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_once", send_meanwhile)
        storing.move_segments(str(growing.pk))
    growing.refresh_from_db()
    assert growing.moved_bytes == 2 * SEGMENT_BYTES
    assert hot_bytes(growing) == 1000
    assert storage.read_pcm(seal(growing, 1)) == PCM[: 2 * SEGMENT_BYTES + 1000]


def test_two_movers_that_saw_different_ends_leave_one_chain(growing, monkeypatch):
    """The slow one has read less than the other has already moved."""
    late = buffer.read(growing.pk, 0, 1000)
    read = buffer.read

    def read_late(*args):
        jobs_read = read(*args)
        with monkeypatch.context() as patch:
            patch.setattr(buffer, "read", read)
            storing.move_segments(str(growing.pk))
        assert jobs_read == late
        return jobs_read

    with monkeypatch.context() as patch:
        patch.setattr(buffer, "read", read_late)
        is_more_due = storage.move_segment(growing.pk, 0, 1000)
    assert is_more_due is True  # Redis takes over the row's state
    assert files(growing) == [f"segment-0-{SEGMENT_BYTES}.pcm"]
    assert storage.read_pcm(seal(growing, 1)) == PCM[: 2 * SEGMENT_BYTES]


def test_a_mover_that_died_before_redis_knew_of_an_odd_piece_stops_nobody(monkeypatch):
    recording = short()
    rest(recording.pk)
    with monkeypatch.context() as patch:
        patch.setattr(buffer, "let_go", lambda *args: None)
        storage.move_segment(recording.pk, 0, 1000)
    write = async_to_sync(go_on)(recording, 1000, len(PCM))
    assert write.outcome is buffer.Outcome.FULL
    storing.move_segments(str(recording.pk))
    assert async_to_sync(go_on)(recording, write.held_bytes, len(PCM)).outcome is buffer.Outcome.HELD
    storing.move_segments(str(recording.pk))
    assert storage.read_pcm(seal(recording, len(PCM))) == PCM


@pytest.fixture
def old() -> Recording:
    """An outdated row: read before everything moved and Redis lost its data."""
    recording = short()
    rest(recording.pk)
    storing.move_segments(str(recording.pk))
    redis_clients.sync_client().flushall()
    return recording


def test_a_redis_without_its_data_that_was_opened_by_an_old_row_follows_the_new_one(old):
    assert old.segment_ends == []
    write = async_to_sync(send)(old, 0, len(PCM))
    assert write is buffer.Outcome.FULL
    storing.move_segments(str(old.pk))
    assert async_to_sync(send)(old, 0, len(PCM)) is buffer.Outcome.HELD
    assert storage.read_pcm(seal(old, len(PCM))) == PCM


def test_movers_that_write_the_same_file_leave_it_whole(growing, monkeypatch):
    save, moved = default_storage.save, []

    def other_comes_first(name, content):
        if not moved:
            moved.append(name)
            assert storage.move_segment(growing.pk, 0, SEGMENT_BYTES)
        return save(name, content)

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", other_comes_first)
        assert storage.move_segment(growing.pk, 0, SEGMENT_BYTES)
    growing.refresh_from_db()
    assert growing.segment_ends == [SEGMENT_BYTES]
    assert files(growing) == [f"segment-0-{SEGMENT_BYTES}.pcm"]
    assert storage.read_pcm(seal(growing, 1)) == PCM[: 2 * SEGMENT_BYTES]


def test_a_segment_that_no_row_knows_is_deleted_with_the_others():
    recording = short()
    default_storage.save(f"recordings/{recording.pk}/segment-0-1000.pcm", ContentFile(PCM[:1000]))
    sealed = seal(recording, 1000)
    storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert files(sealed) == [f"{sealed.sha256}.flac"]


def test_a_recording_that_rests_is_queued_once():
    recording = short()
    rest(recording.pk)
    for _ in range(3):
        storing.move_resting()
    assert queued() == [f"move-{recording.pk}"]


def test_what_is_left_of_a_segment_lives_no_longer_than_it():
    recording = short(2000)
    client, key = redis_clients.sync_client(), f"voice:recording:{recording.pk}:0"
    client.expire(key, 100)
    buffer.let_go(recording.pk, 1000)
    assert client.strlen(key) == 1000
    assert 0 < client.ttl(key) <= 100


def test_a_mover_adds_nothing_beyond_the_end_of_a_sealed_recording(monkeypatch):
    """The job had read more before Redis came back with less and the recording was sealed."""
    recording = short(2000)
    pcm = buffer.read(recording.pk, 0, 2000)
    redis_clients.sync_client().set(f"voice:recording:{recording.pk}:0", PCM[:1000], ex=1000)
    sealed = seal(recording, 0)
    with monkeypatch.context() as patch:
        patch.setattr(buffer, "read", lambda *args: pcm)
        assert storage.move_segment(recording.pk, 0, 2000) is False
    sealed.refresh_from_db()
    assert storage.read_pcm(sealed) == PCM[:1000]
    assert files(sealed) == []


def test_sealing_by_an_old_row_with_an_empty_redis_keeps_what_was_moved(old):
    sealed = seal(old, 0)
    assert (sealed.status, sealed.byte_count) == (Recording.Status.SEALED, 1000)
    assert storage.read_pcm(sealed) == PCM[:1000]


def test_discarding_deletes_the_segments(growing):
    storing.move_segments(str(growing.pk))
    lifecycle.discard(recording=growing)
    assert files(growing) == []


def test_a_move_that_comes_after_discarding_leaves_no_file(growing, monkeypatch):
    segment = buffer.read(growing.pk, 0, SEGMENT_BYTES)

    def read_before_it_was_discarded(*args):
        lifecycle.discard(recording=growing)
        return segment

    monkeypatch.setattr(buffer, "read", read_before_it_was_discarded)
    assert storage.move_segment(growing.pk, 0, SEGMENT_BYTES) is False
    assert files(growing) == []


def test_a_move_that_comes_after_storing_leaves_no_file(growing):
    sealed = seal(growing, 2 * SEGMENT_BYTES)
    storing.store(str(sealed.pk))
    storing.move_segments(str(sealed.pk))
    sealed.refresh_from_db()
    assert files(sealed) == [f"{sealed.sha256}.flac"]
    assert storage.read_pcm(sealed) == PCM[: 2 * SEGMENT_BYTES]


def test_a_segment_that_is_moved_while_the_whole_is_stored_leaves_no_file(growing, monkeypatch):
    sealed = seal(growing, 2 * SEGMENT_BYTES)
    encode = encoding.encode_flac

    def encode_after_a_move(pcm):
        storing.move_segments(str(sealed.pk))
        return encode(pcm)

    monkeypatch.setattr(encoding, "encode_flac", encode_after_a_move)
    storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert sealed.segment_ends == [SEGMENT_BYTES]
    assert files(sealed) == [f"{sealed.sha256}.flac"]


def test_moving_asks_the_database_twice_a_segment_and_never_when_nothing_is_due(
    growing, django_assert_num_queries
):
    with django_assert_num_queries(2):  # for its data key, and to write down that it moved
        storing.move_segments(str(growing.pk))
    with django_assert_num_queries(0):
        storing.move_segments(str(growing.pk))


def test_moving_goes_before_storing():
    jobs.enqueue_now("default", "voice.workers.storing.store", "a", job_id="store-a")
    recording = lifecycle.create(language="en", max_seconds=1)
    queueing.queue_moving(recording.pk)
    assert redis_clients.sync_client().lindex("rq:queue:default", 0) == f"move-{recording.pk}".encode()


@pytest.mark.parametrize("is_off", [True, False])
def test_under_load_the_text_follows_later(growing, monkeypatch, is_off):
    monkeypatch.setattr("voice.capacity.shedding.is_off", lambda step: is_off)
    sealed = seal(growing, KEPT_BYTES)
    assert Transcript.objects.get(recording=sealed).is_deferred is is_off
    if is_off:
        assert redis_clients.sync_client().llen(jobs.key("stt-later")) == 0
        sweeper.sweep()
    queue = "stt-later" if is_off else "stt"
    job_id = queueing.transcription_job_id(sealed.pk).encode()
    assert redis_clients.sync_client().lrange(jobs.key(queue), 0, -1) == [job_id]


def test_of_a_long_backlog_only_the_oldest_are_queued(monkeypatch):
    monkeypatch.setattr("voice.capacity.shedding.is_off", lambda step: True)
    monkeypatch.setattr(sweeper, "SWEEP_AT_MOST", 2)
    sealed = [seal(short(), 1000) for _ in range(3)]
    oldest = [queueing.transcription_job_id(each.pk).encode() for each in sealed[:2]]
    for _ in range(2):
        sweeper.sweep()
        assert redis_clients.sync_client().lrange(jobs.key("stt-later"), 0, -1) == oldest


def test_the_sweeper_brings_a_deferred_transcript_to_its_queue(growing, monkeypatch):
    monkeypatch.setattr("voice.capacity.shedding.is_off", lambda step: True)
    sealed = seal(growing, KEPT_BYTES)
    redis_clients.sync_client().delete(jobs.key("stt-later"), f"rq:job:transcribe-{sealed.pk}")
    Transcript.objects.update(retry_at=timezone.now())
    sweeper.sweep()
    job_id = queueing.transcription_job_id(sealed.pk).encode()
    assert redis_clients.sync_client().lrange(jobs.key("stt-later"), 0, -1) == [job_id]
