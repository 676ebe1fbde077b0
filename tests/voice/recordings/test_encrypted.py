"""Recordings with encrypted files: all that is done with recordings works, and tampering is refused."""

import random

import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from tests.voice.recordings import test_segments
from tests.voice.recordings.test_segments import PCM, files, growing, seal, send  # noqa: F401  a fixture
from voice.audio import encoding
from voice.encryption import blocks, keys
from voice.encryption.blocks import BLOCK_BYTES
from voice.errors import DecryptionFailed, KeyDestroyed, KeyMissing, UploadGone
from voice.infra import object_storage
from voice.models import DataKey, PendingErasure, Recording, Transcript, TranscriptVersion
from voice.recordings import addresses, lifecycle, recovery, storage
from voice.recordings.buffer import SEGMENT_BYTES
from voice.workers import erasing, storing, transcription

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis", "encryption"),
]

NOISE = random.Random(1).randbytes(6 * 32_000)


@pytest.fixture
def key():
    return keys.reserve()


def spoken(key, seconds: int = 40) -> Recording:
    """A recording under way, of which all is in Redis."""
    recording = lifecycle.create(language="en", max_seconds=90, data_key=key)
    async_to_sync(send)(recording, 0, seconds * 32_000)
    return recording


def stored(key, seconds: int = 40) -> Recording:
    recording = seal(spoken(key, seconds), seconds * 32_000)
    storing.store(str(recording.pk))
    recording.refresh_from_db()
    return recording


def raw(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def play(recording: Recording, **headers: str):
    address = addresses.temporary_url(recording)
    return Client(raise_request_exception=True).get(
        address.removeprefix("http://127.0.0.1:8000"), headers=headers
    )


def test_segments_and_the_whole_file_are_encrypted_and_read_as_what_was_said(key):
    recording = spoken(key)
    storing.move_segments(str(recording.pk))
    recording.refresh_from_db()
    segment = storage.segment_name(recording.pk, 0, SEGMENT_BYTES)

    assert recording.moved_bytes == SEGMENT_BYTES
    assert PCM[:64] not in raw(segment)
    assert storage.read_growing(recording, 0) == PCM[: 2 * SEGMENT_BYTES]
    sealed = seal(recording, 2 * SEGMENT_BYTES)
    storing.store(str(sealed.pk))
    sealed.refresh_from_db()
    assert files(sealed) == [f"{sealed.sha256}.flac"]
    assert raw(sealed.storage_name)[:4] == blocks.MAGIC
    assert storage.read_pcm(sealed) == PCM[: 2 * SEGMENT_BYTES]


def test_what_was_kept_before_encryption_was_on_stays_as_it_is():
    plain = stored(None, seconds=1)
    mixed = stored(keys.reserve(), seconds=1)

    assert raw(plain.storage_name)[:4] == b"fLaC"
    assert storage.read_pcm(plain) == storage.read_pcm(mixed) == PCM[:32_000]
    assert play(plain).content == play(mixed).content


def test_what_was_encrypted_is_read_and_still_written_once_encryption_is_off_again(settings, key):
    recording = spoken(key)
    storing.move_segments(str(recording.pk))
    settings.VOICE = settings.VOICE | {"ENCRYPTION": False}
    recording.refresh_from_db()

    sealed = seal(recording, 2 * SEGMENT_BYTES)
    storing.store(str(sealed.pk))
    sealed.refresh_from_db()

    assert keys.reserve() is None
    assert raw(sealed.storage_name)[:4] == blocks.MAGIC
    assert storage.read_pcm(sealed) == PCM[: 2 * SEGMENT_BYTES]


@pytest.fixture
def long(key, monkeypatch) -> tuple[Recording, bytes]:
    """A recording whose file has several blocks, as noise needs them, and what the file holds."""
    monkeypatch.setattr(test_segments, "PCM", NOISE)
    recording = stored(key, seconds=6)
    whole = storage.read_file(recording.storage_name, key_id=key)
    assert len(whole) > 2 * BLOCK_BYTES
    return recording, whole


def test_a_player_gets_any_range_from_the_application(long, settings, monkeypatch):
    settings.VOICE = settings.VOICE | {"HAS_SIGNED_URLS": True}  # object storage could not decrypt it
    recording, whole = long
    fetched = []
    monkeypatch.setattr(
        object_storage, "part", lambda *range_: fetched.append(range_[1:]) or part(*range_), raising=True
    )
    edges = (0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, len(whole) - 1)

    for start in edges:
        for end in edges[edges.index(start) :]:
            answer = play(recording, Range=f"bytes={start}-{end}")
            assert (answer.status_code, answer.content) == (206, whole[start : end + 1])
            assert answer["Content-Range"] == f"bytes {start}-{end}/{len(whole)}"
    assert play(recording).content == whole
    assert play(recording, Range="bytes=-5").content == whole[-5:]
    assert play(recording, Range=f"bytes={len(whole)}-").status_code == 416
    del fetched[:]
    play(recording, Range="bytes=0-1")
    assert sum(end - start for start, end in fetched) < 3 * BLOCK_BYTES


part = object_storage.part


def flipped(stored: bytes, at: int) -> bytes:
    return stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]


def test_a_file_that_was_tampered_with_is_never_played(long):
    recording, whole = long
    good, other = raw(recording.storage_name), stored(recording.data_key, seconds=5)
    second = blocks.HEADER_BYTES + blocks.STORED_BYTES
    tampered = {
        "a block is changed": flipped(good, second + 100),
        "the last block is changed": flipped(good, len(good) - 1),
        "it is cut off after a block": good[: second + blocks.STORED_BYTES],
        "it is cut off": good[:-100],
        "a block is dropped": good[:second] + good[second + blocks.STORED_BYTES :],
        "it is that of another recording": raw(other.storage_name),
        "it is not encrypted": encoding.encode_flac(PCM),
    }
    for what, content in tampered.items():
        default_storage.save(recording.storage_name, ContentFile(content))
        answer = play(recording)
        assert (answer.status_code, b"fLaC" in answer.content) == (500, False), what
        with pytest.raises(DecryptionFailed):
            storage.read_pcm(recording)
        assert recovery.fault(recording, is_read=True) == "its file is damaged", what
    default_storage.save(recording.storage_name, ContentFile(good))
    assert play(recording).content == whole


def test_a_range_before_a_changed_block_is_what_was_said_and_one_in_it_is_refused(long):
    recording, whole = long
    good = raw(recording.storage_name)
    content = flipped(good, blocks.HEADER_BYTES + blocks.STORED_BYTES + 100)
    default_storage.save(recording.storage_name, ContentFile(content))

    assert play(recording, Range="bytes=0-99").content == whole[:100]
    assert play(recording, Range=f"bytes=99-{BLOCK_BYTES + 5}").status_code == 500


def test_a_segment_of_another_recording_is_refused(key):
    mine, other = spoken(key), spoken(key)
    for recording in (mine, other):
        storing.move_segments(str(recording.pk))
        recording.refresh_from_db()
    theirs = raw(storage.segment_name(other.pk, 0, SEGMENT_BYTES))
    default_storage.save(storage.segment_name(mine.pk, 0, SEGMENT_BYTES), ContentFile(theirs))

    with pytest.raises(DecryptionFailed):
        storage.read_growing(mine, 0)


def test_half_a_file_of_a_killed_writer_is_replaced(key):
    recording = seal(spoken(key), 2 * SEGMENT_BYTES)
    storing.store(str(recording.pk))
    recording.refresh_from_db()
    half = raw(recording.storage_name)[:5000]
    default_storage.save(recording.storage_name, ContentFile(half))

    storage.write_once(
        recording.storage_name,
        PCM[: 2 * SEGMENT_BYTES],
        encode=encoding.encode_flac,
        decode=storage.decoded,
        key_id=key,
    )

    assert storage.read_pcm(recording) == PCM[: 2 * SEGMENT_BYTES]


def test_a_store_of_keys_that_is_away_delays_storing_and_loses_nothing(key, monkeypatch):
    recording = seal(spoken(key), 2 * SEGMENT_BYTES)

    def away() -> None:
        raise OSError("the store does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(keys, "store", away)
        with pytest.raises(OSError, match="does not answer"):
            storing.store(str(recording.pk))
    assert files(recording) == []
    storing.store(str(recording.pk))
    recording.refresh_from_db()
    assert storage.read_pcm(recording) == PCM[: 2 * SEGMENT_BYTES]


def test_a_restore_cuts_segments_from_the_encrypted_whole_file(key):
    recording = spoken(key)
    storing.move_segments(str(recording.pk))
    recording.refresh_from_db()
    sealed = seal(Recording.objects.get(pk=recording.pk), 2 * SEGMENT_BYTES)
    storing.store(str(sealed.pk))
    recording.save()  # the row is as it was when one segment had moved

    assert recovery.mend(recording.pk)

    recording.refresh_from_db()
    assert recovery.fault(recording, is_read=False) == ""
    assert storage.read_growing(recording, 0) == PCM[: 2 * SEGMENT_BYTES]
    assert PCM[:64] not in raw(storage.segment_name(recording.pk, 0, SEGMENT_BYTES))


def erase(recording: Recording) -> None:
    lifecycle.erase(recording_ids=[recording.pk], data_keys=[recording.data_key])
    keys.forget_all()


def test_erasing_destroys_the_key_first_so_that_no_copy_can_be_read(key, queued):
    recording = stored(key)
    copy = raw(recording.storage_name)
    erase(recording)

    first = PendingErasure.objects.get(store=PendingErasure.Store.DATA_KEY)
    assert queued("default")[-1] == f"erase-{first.pk}"
    erasing.erase(str(first.pk))

    assert object_storage.names(storage.directory(recording.pk))  # the files are still there
    assert not keys.exists(key)
    with pytest.raises(KeyDestroyed):
        storage.read_file(recording.storage_name, key_id=key)
    erasing.erase_keys([str(recording.pk)])
    assert not PendingErasure.objects.exists()
    default_storage.save(recording.storage_name, ContentFile(copy))
    recording.save(force_insert=True)  # PostgreSQL and object storage are restored
    assert play(recording).status_code == 410
    with pytest.raises(UploadGone):
        transcription._stored_pcm(recording)
    DataKey.objects.create(pk=key, made_at=recording.stored_at)
    assert recovery.fault(recording, is_read=True) == "its data key is gone"


def test_a_key_that_is_missing_for_a_while_ends_no_transcript(key):
    recording = stored(key)
    row = Transcript.objects.get(recording=recording)
    with keys.store().open(keys.name_of(key)) as file:
        kept = file.read()
    keys.destroy(key)  # its row is still there: the store is not mounted

    assert play(recording).status_code == 503
    for run in (transcription.transcribe, transcription.transcribe_again):
        TranscriptVersion.objects.get_or_create(
            recording=recording, version=2, defaults={"asked_at": recording.stored_at}
        )
        with pytest.raises(KeyMissing):
            run(str(recording.pk))
    assert Transcript.objects.values_list("status", "attempts").get(pk=row.pk) == ("waiting", 0)
    assert TranscriptVersion.objects.values_list("status", "attempts").get() == ("waiting", 0)

    keys.store().save(keys.name_of(key), ContentFile(kept))
    assert play(recording).status_code == 200


def test_the_key_of_others_stays(key):
    mine, other = stored(key, seconds=1), stored(keys.reserve(), seconds=1)
    erase(mine)
    erasing.erase_keys([str(key), str(mine.pk)])

    assert storage.read_pcm(other) == PCM[:32_000]


def test_erasing_waits_for_a_store_of_keys_that_is_away(key, monkeypatch):
    recording = stored(key, seconds=1)
    erase(recording)
    pending = PendingErasure.objects.get(store=PendingErasure.Store.DATA_KEY)

    def away() -> None:
        raise OSError("the store does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(keys, "store", away)
        with pytest.raises(OSError, match="does not answer"):
            erasing.erase(str(pending.pk))
    assert keys.exists(key)
    erasing.erase(str(pending.pk))
    assert not keys.exists(key)
    assert not PendingErasure.objects.filter(pk=pending.pk).exists()
