"""PostgreSQL was restored to a moment at which a recording grew; object storage is as it was later."""

import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.voice.recordings.test_segments import PCM, files, growing, seal, send, short  # noqa: F401  a fixture
from voice.infra import object_storage
from voice.models import Recording
from voice.recordings import buffer, recovery, storage
from voice.recordings.buffer import SEGMENT_BYTES
from voice.workers import storing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def restored(growing) -> Recording:  # noqa: F811
    """A row from when one segment had moved, and the whole file that was stored afterwards."""
    storing.move_segments(str(growing.pk))
    growing.refresh_from_db()
    seal(Recording.objects.get(pk=growing.pk), 2 * SEGMENT_BYTES)
    storing.store(str(growing.pk))
    growing.save()
    return growing


def stored() -> Recording:
    recording = seal(short(), 1000)
    storing.store(str(recording.pk))
    recording.refresh_from_db()
    return recording


def delete_files(recording: Recording) -> None:
    object_storage.delete(storage.directory(recording.pk))


def test_a_stored_recording_is_whole():
    assert recovery.fault(stored(), is_read=True) == ""


def test_a_stored_recording_without_its_file_is_told():
    recording = stored()
    delete_files(recording)

    assert recovery.fault(recording, is_read=False) == "its file is gone"


def test_a_source_that_still_has_a_stored_recording_without_a_file_sends_it_again():
    recording = stored()
    delete_files(recording)

    assert not recovery.mend(recording.pk)

    recording.refresh_from_db()
    assert (recording.status, recording.byte_count) == (Recording.Status.SEALED, 1000)
    async_to_sync(send)(recording, 0, 1000)
    storing.store(str(recording.pk))
    recording.refresh_from_db()
    assert recovery.fault(recording, is_read=True) == ""


def test_segments_of_a_stored_recording_that_came_back_go():
    recording = stored()
    default_storage.save(storage.segment_name(recording.pk, 0, 4), ContentFile(b"0000"))

    assert recovery.mend(recording.pk)

    assert files(recording) == [f"{recording.sha256}.flac"]


def test_a_file_with_other_samples_is_told():
    recording, other = stored(), seal(short(2000), 2000)
    storing.store(str(other.pk))
    other.refresh_from_db()
    default_storage.save(
        recording.storage_name, ContentFile(storage.read_file(other.storage_name, key_id=None))
    )

    assert recovery.fault(recording, is_read=True) == "its file holds other samples"


def test_a_damaged_file_is_told():
    recording = stored()
    default_storage.save(recording.storage_name, ContentFile(b"no FLAC"))

    assert recovery.fault(recording, is_read=True) == "its file is damaged"


def test_segments_come_back_from_the_whole_file_with_all_that_was_said_since(restored):
    assert recovery.fault(restored, is_read=False) == "1 of 1 segments are gone"

    assert recovery.mend(restored.pk)

    restored.refresh_from_db()
    assert restored.segment_ends == [SEGMENT_BYTES, 2 * SEGMENT_BYTES]
    assert storage.read_growing(restored, 0) == PCM[: 2 * SEGMENT_BYTES]
    assert recovery.fault(restored, is_read=False) == ""


def test_a_mended_recording_is_stored_as_it_was(restored):
    before = [name for name in files(restored) if name.endswith(".flac")]
    recovery.mend(restored.pk)
    Recording.objects.filter(pk=restored.pk).update(status="sealed", byte_count=2 * SEGMENT_BYTES)

    storing.store(str(restored.pk))

    assert files(restored) == before


def test_without_a_whole_file_the_source_sends_again_from_the_first_segment_that_is_gone(restored):
    delete_files(restored)
    name = storage.segment_name(restored.pk, 0, 1000)
    default_storage.save(name, ContentFile(PCM[:1000]))
    Recording.objects.filter(pk=restored.pk).update(segment_ends=[1000, SEGMENT_BYTES])

    assert not recovery.mend(restored.pk)

    restored.refresh_from_db()
    assert restored.segment_ends == [1000]


def test_a_recording_that_lacks_nothing_stays_as_it_is(growing):  # noqa: F811
    storing.move_segments(str(growing.pk))

    assert recovery.mend(growing.pk)

    growing.refresh_from_db()
    assert growing.segment_ends == [SEGMENT_BYTES]
    assert buffer.held(growing.pk) == 2 * SEGMENT_BYTES
