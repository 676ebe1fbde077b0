"""The life of a recording: open, sealed, stored; or discarded.

While it is open its newest bytes lie in Redis (`voice.recordings.buffer`), older segments in object storage.
Sealing commits the row and queues two jobs, one that recognises it and one that stores it whole; under load
the sweeper queues the first, later. A recording counts as stored only after the stored file was read back and
its samples compared, so whoever recorded may then forget the audio.
"""

import contextlib
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import redis
from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import reverse

from voice import metrics, signals
from voice.audio import decoding, encoding
from voice.audio.pcm import BYTES_A_SECOND
from voice.capacity import shedding
from voice.errors import AudioMissing, VoiceError
from voice.infra import sql
from voice.models import Recording, Transcript
from voice.queues import jobs
from voice.recordings import buffer

GROWING = (Recording.Status.OPEN, Recording.Status.SEALED)
"""Audio may still come: to a sealed one again, if Redis lost it."""

NOT_SWEPT = timedelta(seconds=5)
"""The jobs are queued after the commit: a sweep in between would queue them twice."""

Coding = Callable[[bytes], bytes]

_url_signer = signing.TimestampSigner(salt="voice.recording-url")


def create(*, language: str, max_seconds: float) -> Recording:
    """A new, open recording."""
    recording = Recording(language=language, max_bytes=int(max_seconds * BYTES_A_SECOND))
    sql.insert(recording)
    return recording


_ALL = sql.Part(Recording, "r")
_SEALED = f"SELECT {_ALL.names} FROM voice_recording r WHERE r.id = %s AND r.status = 'sealed'"  # noqa: S608


def sealed(recording_id: UUID | str) -> Recording | None:
    """The recording, if it is complete and not stored yet."""
    found = sql.fetch(_SEALED, recording_id)
    return _ALL.of(found[0]) if found else None


async def open_for(recording: Recording, *, writer: str) -> int:
    """Let `writer` send audio; return the byte offset to send from.

    A sealed recording can be opened too: should Redis have lost it, its source fills it up again.
    """
    return await buffer.open_for(
        recording.id,
        writer=writer,
        limit_bytes=recording.limit_bytes,
        stored_bytes=recording.moved_bytes,
    )


def seal(*, recording: Recording, at_least: int, now: datetime) -> bool:
    """Complete the recording with what is held and queue its storage, and its recognition or not yet.

    A recording without a single sample is discarded instead. Returns whether this call did it; `recording` is
    up to date in either case. Raises AudioMissing when fewer than `at_least` bytes are held.
    """
    held = max(buffer.seal(recording.id, at_least=at_least), recording.moved_bytes)
    if held < at_least:
        raise AudioMissing(held, at_least)
    with transaction.atomic(savepoint=False):
        is_ours = _end_growth(recording, held, now=now)
        if is_ours and recording.byte_count:
            is_deferred = shedding.is_off(shedding.Step.TRANSCRIPTS)
            if is_deferred:  # the sweeper queues it: never all of a long backlog lies in Redis
                sql.insert(Transcript(recording=recording, retry_at=now, is_deferred=True))
            else:
                sql.insert(Transcript(recording=recording, retry_at=now + NOT_SWEPT))
                queue_transcription(recording.pk)
            queue_storing(recording.pk)
    return is_ours


def _end_growth(recording: Recording, held: int, *, now: datetime) -> bool:
    ended = sql.fetch(_SEAL, now, now + NOT_SWEPT, held, recording.pk)
    if ended:
        ((recording.status, recording.byte_count),) = ended
        recording.sealed_at, recording.retry_at = now, now + NOT_SWEPT
    else:
        recording.refresh_from_db()
    return bool(ended)


# The row knows best what was moved: it may have been read before, and Redis may have lost it all.
_SEAL = """
UPDATE voice_recording SET sealed_at = %s, retry_at = %s, byte_count = length.bytes,
  status = CASE WHEN length.bytes > 0 THEN 'sealed' ELSE 'discarded' END
FROM (
  SELECT id, greatest(%s, coalesce(segment_ends[cardinality(segment_ends)], 0)) AS bytes
  FROM voice_recording WHERE id = %s FOR UPDATE
) length
WHERE voice_recording.id = length.id AND status = 'open'
RETURNING status, byte_count
"""


def transcription_job_id(recording_id: UUID) -> str:
    """The id of the one job that may recognise the recording."""
    return f"transcribe-{recording_id}"


def storing_job_id(recording_id: UUID) -> str:
    """The id of the one job that may store the recording."""
    return f"store-{recording_id}"


def queue_transcription(recording_id: UUID, *, is_deferred: bool = False) -> None:
    """Queue the recognition of a sealed recording; a deferred one waits until nothing more urgent does."""
    queue = "stt-later" if is_deferred else "stt"
    job_id = transcription_job_id(recording_id)
    jobs.enqueue(queue, "voice.workers.transcription.transcribe", str(recording_id), job_id=job_id)


def queue_storing(recording_id: UUID) -> None:
    """Queue the storing of a sealed recording."""
    jobs.enqueue(
        "default", "voice.workers.transcription.store", str(recording_id), job_id=storing_job_id(recording_id)
    )


def moving_job_id(recording_id: UUID) -> str:
    """The id of the one job that may move the recording's segments."""
    return f"move-{recording_id}"


def queue_moving(recording_id: UUID) -> None:
    """Queue the moving of segments to object storage, before everything else that is stored."""
    job_id = moving_job_id(recording_id)
    jobs.enqueue_now(
        "default",
        "voice.workers.transcription.move_segments",
        str(recording_id),
        job_id=job_id,
        at_front=True,
    )


def move_segment(recording_id: UUID, start: int, end: int) -> bool:
    """Write bytes [start, end) of a growing recording to object storage and let Redis forget them.

    Returns whether more may be moved now. Raises OSError when the storage fails or returns other bytes than
    were written.
    """
    pcm = buffer.read(recording_id, start, end)
    if len(pcm) < end - start:
        return False  # another job has moved it, or the recording was deleted
    name = _segment_name(recording_id, start, end)
    _write_once(name, pcm, encode=bytes, decode=bytes)
    if sql.change(_MOVE, end, recording_id, start, end):
        buffer.let_go(recording_id, end)
        return True
    growing = Recording.objects.filter(pk=recording_id, status__in=GROWING).first()
    if growing is None or (start, end) not in growing.segments:
        default_storage.delete(name)  # it was stored as a whole, or moved in other pieces, or discarded
    if growing is None or growing.moved_bytes <= start:
        return False
    buffer.let_go(recording_id, growing.moved_bytes)  # Redis was behind: a mover died before telling it
    return True


_MOVE = """
UPDATE voice_recording SET segment_ends = segment_ends || %s::bigint
WHERE id = %s AND status IN ('open', 'sealed')
AND coalesce(segment_ends[cardinality(segment_ends)], 0) = %s AND (byte_count IS NULL OR byte_count >= %s)
"""


def read_pcm(recording: Recording) -> bytes:
    """All PCM bytes of a sealed recording: from object storage, and from Redis what is not there yet.

    Raises AudioMissing when Redis lost it and its source has not sent it again yet.
    """
    while True:
        known = recording.status, recording.segment_ends
        try:
            return _read_as_known(recording)
        except (AudioMissing, FileNotFoundError):
            recording.refresh_from_db()
            if (recording.status, recording.segment_ends) == known:
                raise  # it was not moved while it was read


def _read_as_known(recording: Recording) -> bytes:
    if recording.status == Recording.Status.STORED:
        return _read_stored(recording.storage_name)
    expected = recording.byte_count or 0
    segments = [_read_file(_segment_name(recording.id, *segment)) for segment in recording.segments]
    pcm = b"".join([*segments, buffer.read(recording.id, recording.moved_bytes, expected)])
    if len(pcm) < expected:
        raise AudioMissing(len(pcm), expected)
    return pcm


def store(recording: Recording, *, now: datetime) -> bool:
    """Write a sealed recording to object storage as FLAC and read it back. Returns whether this call did it.

    Raises AudioMissing, or OSError when the storage fails or returns other samples than were written.
    """
    pcm = read_pcm(recording)
    digest = hashlib.sha256(pcm).hexdigest()
    name = f"{_directory(recording.id)}/{digest}.flac"
    _write_once(name, pcm, encode=encoding.encode_flac, decode=_decoded)
    is_ours = sql.change(_STORE, name, digest, now, recording.pk)
    if is_ours:
        recording.status, recording.storage_name = Recording.Status.STORED, name
        recording.sha256, recording.stored_at = digest, now
        metrics.recording_stored(len(pcm), sealed_at=recording.sealed_at or now, now=now)
        signals.recording_stored.send(Recording, recording=recording)
        with contextlib.suppress(redis.RedisError):  # it expires by itself later
            buffer.delete(recording.id)
        _delete_files(recording.id, but=name)  # segments, also of a mover that died before it told the row
    else:  # discarded, or stored by another job, in the meantime
        recording.refresh_from_db()
        if recording.storage_name != name:
            default_storage.delete(name)
    return bool(is_ours)


_STORE = """
UPDATE voice_recording SET status = 'stored', storage_name = %s, sha256 = %s, stored_at = %s
WHERE id = %s AND status = 'sealed'
"""


def _write_once(name: str, pcm: bytes, *, encode: Coding, decode: Coding) -> None:
    """Store `pcm` under a name of its own, unless it is there already; verify by reading back."""

    def is_there() -> bool:
        try:
            return decode(_read_file(name)) == pcm
        except VoiceError:
            return False

    if default_storage.exists(name) and is_there():
        return
    default_storage.save(name, ContentFile(encode(pcm)))
    if not is_there():
        raise OSError(f"{name} does not hold the samples that were written to it")


def _read_stored(name: str) -> bytes:
    return _decoded(_read_file(name))


def _read_file(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def _decoded(flac: bytes) -> bytes:
    pcm, _ = decoding.decode_flac(flac)
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
    buffer.delete(recording_id)
    _delete_files(recording_id)


def _delete_files(recording_id: UUID, *, but: str = "") -> None:
    directory = _directory(recording_id)
    with contextlib.suppress(FileNotFoundError):  # the file system's way of saying that nothing is there
        for file in default_storage.listdir(directory)[1]:
            if (name := f"{directory}/{file}") != but:
                default_storage.delete(name)


def _segment_name(recording_id: UUID, start: int, end: int) -> str:
    """Who reads the same stretch of a recording, whenever, has the same bytes."""
    return f"{_directory(recording_id)}/segment-{start}-{end}.pcm"


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
