"""The life of a recording: open, sealed, stored; or discarded.

While it is open its bytes lie in Redis (`voice.hot_audio`). Sealing commits the row and queues two jobs,
one that recognises it and one that stores it. A recording counts as stored only after the stored file was
read back and its samples compared, so whoever recorded may then forget the audio.
"""

import contextlib
import hashlib
from datetime import datetime
from uuid import UUID

import redis
from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import reverse

from voice import audio, audio_encoding, hot_audio, queues, signals
from voice.engines.base import VoiceError
from voice.models import Recording, Transcript

BYTES_A_SECOND = 32_000
"""16 000 Hz, mono, 16 bits."""

_url_signer = signing.TimestampSigner(salt="voice.recording-url")


class AudioMissing(VoiceError):
    """The recording should be longer than what is held: its source must send the rest again."""

    def __init__(self, held_bytes: int, expected_bytes: int) -> None:
        super().__init__(
            f"{held_bytes} of {expected_bytes} bytes are held: send the rest from byte {held_bytes}."
        )
        self.held_bytes = held_bytes


def create(*, language: str, max_seconds: float) -> Recording:
    """A new, open recording."""
    return Recording.objects.create(language=language, max_bytes=int(max_seconds * BYTES_A_SECOND))


async def open_for(recording: Recording, *, writer: str) -> int:
    """Let `writer` send audio; return the byte offset to send from.

    A sealed recording can be opened too: should Redis have lost it, its source fills it up again.
    """
    return await hot_audio.open_for(recording.id, writer=writer, limit_bytes=recording.limit_bytes)


def seal(*, recording: Recording, at_least: int, now: datetime) -> bool:
    """Complete the recording with what is held and queue its recognition and storage.

    A recording without a single sample is discarded instead. Returns whether this call did it. Raises
    AudioMissing when fewer than `at_least` bytes are held.
    """
    held = hot_audio.seal(recording.id, at_least=at_least)
    if held < at_least:
        raise AudioMissing(held, at_least)
    with transaction.atomic():
        is_ours = Recording.objects.filter(pk=recording.pk, status=Recording.Status.OPEN).update(
            status=Recording.Status.SEALED if held else Recording.Status.DISCARDED,
            byte_count=held,
            sealed_at=now,
        )
        if is_ours and held:
            Transcript.objects.create(recording=recording, retry_at=now)
            queue_transcription(recording.pk)
            queue_storing(recording.pk)
    return bool(is_ours)


def transcription_job_id(recording_id: UUID) -> str:
    """The id of the one job that may recognise the recording."""
    return f"transcribe-{recording_id}"


def storing_job_id(recording_id: UUID) -> str:
    """The id of the one job that may store the recording."""
    return f"store-{recording_id}"


def queue_transcription(recording_id: UUID) -> None:
    """Queue the recognition of a sealed recording."""
    queues.enqueue(
        "stt", "voice.jobs.transcribe", str(recording_id), job_id=transcription_job_id(recording_id)
    )


def queue_storing(recording_id: UUID) -> None:
    """Queue the storing of a sealed recording."""
    queues.enqueue("default", "voice.jobs.store", str(recording_id), job_id=storing_job_id(recording_id))


def read_pcm(recording: Recording) -> bytes:
    """All PCM bytes of a sealed recording: from Redis, or from object storage once it is there.

    Raises AudioMissing when Redis lost it and its source has not sent it again yet.
    """
    if recording.status == Recording.Status.STORED:
        return _read_stored(recording.storage_name)
    expected = recording.byte_count or 0
    pcm = hot_audio.read(recording.id, 0, expected)
    if len(pcm) < expected:
        raise AudioMissing(len(pcm), expected)
    return pcm


def store(recording: Recording, *, now: datetime) -> bool:
    """Write a sealed recording to object storage as FLAC and read it back. Returns whether this call did it.

    Raises AudioMissing, or OSError when the storage fails or returns other samples than were written.
    """
    pcm = read_pcm(recording)
    digest = hashlib.sha256(pcm).hexdigest()
    name = _write_once(f"{_directory(recording.id)}/{digest}.flac", pcm)
    is_ours = Recording.objects.filter(pk=recording.pk, status=Recording.Status.SEALED).update(
        status=Recording.Status.STORED, storage_name=name, sha256=digest, stored_at=now
    )
    recording.refresh_from_db()
    if is_ours:
        signals.recording_stored.send(Recording, recording=recording)
        with contextlib.suppress(redis.RedisError):  # it expires by itself later
            hot_audio.expire_soon(recording.id)
    elif recording.storage_name != name:  # discarded, or stored by another job, in the meantime
        default_storage.delete(name)
    return bool(is_ours)


def _write_once(name: str, pcm: bytes) -> str:
    """Store under a content name unless the very same samples are there already; verify by reading back."""
    if default_storage.exists(name):
        if _holds(name, pcm):
            return name
        default_storage.delete(name)  # half a file: a writer died in the middle
    stored_name = default_storage.save(name, ContentFile(audio_encoding.encode_flac(pcm)))
    if not _holds(stored_name, pcm):
        raise OSError(f"{stored_name} does not hold the samples that were written to it")
    return stored_name


def _holds(name: str, pcm: bytes) -> bool:
    try:
        return _read_stored(name) == pcm
    except VoiceError:
        return False


def _read_stored(name: str) -> bytes:
    with default_storage.open(name) as file:
        pcm, _ = audio.decode_flac(file.read())
        return pcm


def discard(*, recording: Recording) -> None:
    """Drop what its speaker gave up (for a retake, or practice): the audio and the transcript."""
    with transaction.atomic():
        row = Recording.objects.select_for_update().get(pk=recording.pk)
        Transcript.objects.filter(recording=row).delete()
        row.status, row.storage_name, row.sha256 = Recording.Status.DISCARDED, "", ""
        row.save(update_fields=["status", "storage_name", "sha256"])
        transaction.on_commit(lambda: _erase_audio(row.id))


def _erase_audio(recording_id: UUID) -> None:
    """Delete the hot audio and every file of the recording, also one that no row knows of yet."""
    hot_audio.delete(recording_id)
    directory = _directory(recording_id)
    with contextlib.suppress(FileNotFoundError):  # the file system's way of saying that nothing is there
        for name in default_storage.listdir(directory)[1]:
            default_storage.delete(f"{directory}/{name}")


def _directory(recording_id: UUID) -> str:
    return f"recordings/{recording_id}"


def temporary_url(recording: Recording) -> str | None:
    """An address of the stored file that works for `RECORDING_URL_SECONDS`; None while it is not stored."""
    if recording.status != Recording.Status.STORED:
        return None
    if settings.S3_BUCKET:
        parameters = {"expire": settings.RECORDING_URL_SECONDS}  # of the S3 backend's url()
        return default_storage.url(recording.storage_name, **parameters)
    token = _url_signer.sign(str(recording.id))
    return settings.BASE_URL + reverse("voice:recording", args=[token])


def find_by_url_token(token: str) -> Recording | None:
    """The stored recording a temporary address stands for; None when it is forged or has ended."""
    try:
        recording_id = _url_signer.unsign(token, max_age=settings.RECORDING_URL_SECONDS)
    except signing.BadSignature:
        return None
    return Recording.objects.filter(pk=recording_id, status=Recording.Status.STORED).first()
