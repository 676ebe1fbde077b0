"""Audio in object storage: segments of a growing recording, one file of a complete one."""

import contextlib
import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import redis
from django.core.files.storage import default_storage

from voice import metrics, signals
from voice.audio import decoding, encoding
from voice.audio.peaks import peaks_of
from voice.encryption import files
from voice.errors import AudioMissing, VoiceError
from voice.infra import object_storage, sql, tracing
from voice.models import Recording
from voice.recordings import buffer

GROWING = (Recording.Status.OPEN, Recording.Status.SEALED)
"""Audio may still come, also to a sealed recording that Redis lost."""
Coding = Callable[[bytes], bytes]


def move_segment(recording_id: UUID, start: int, end: int) -> bool:
    """Move bytes [start, end) of a growing recording from Redis to object storage.

    Returns whether more may be moved now. Raises OSError when the storage fails or returns other bytes than
    were written.
    """
    pcm = buffer.read(recording_id, start, end)
    if len(pcm) < end - start:
        return False  # another job has moved it, or the recording was deleted
    name = segment_name(recording_id, start, end)
    write_once(name, pcm, encode=bytes, decode=bytes, key_id=_data_key(recording_id))
    if sql.change(_MOVE, end, recording_id, start, end):
        buffer.let_go(recording_id, end)
        return True
    growing = Recording.objects.filter(pk=recording_id, status__in=GROWING).first()
    if growing is None or (start, end) not in growing.segments:
        default_storage.delete(name)  # it was stored as a whole, or moved in other pieces, or discarded
    if growing is None or growing.moved_bytes <= start:
        return False
    buffer.let_go(recording_id, growing.moved_bytes)  # Redis was behind: a mover died before it updated Redis
    return True


_MOVE = """
UPDATE voice_recording SET segment_ends = segment_ends || %s::bigint
WHERE id = %s AND status IN ('open', 'sealed')
AND coalesce(segment_ends[cardinality(segment_ends)], 0) = %s AND (byte_count IS NULL OR byte_count >= %s)
"""


def read_pcm(recording: Recording, start: int = 0) -> bytes:
    """Return the PCM bytes of a sealed recording from byte `start` on, from object storage and from Redis.

    Raises AudioMissing when Redis lost some and the source has not sent them again yet.
    """
    while True:
        known = recording.status, recording.segment_ends
        try:
            return _read_as_known(recording, start)
        except (AudioMissing, FileNotFoundError):
            recording.refresh_from_db()
            if (recording.status, recording.segment_ends) == known:
                raise  # it was not moved during the read


def read_growing(recording: Recording, start: int) -> bytes:
    """Return what is held of an open recording from byte `start` on.

    Raises AudioMissing while it is being moved.
    """
    held = max(buffer.held(recording.id), recording.moved_bytes)
    if held < start:
        raise AudioMissing(held, start)
    return _read_range(recording, start, held)


def _read_as_known(recording: Recording, start: int) -> bytes:
    if recording.status == Recording.Status.STORED:
        return decoded(read_file(recording.storage_name, key_id=recording.data_key))[start:]
    return _read_range(recording, start, recording.byte_count or 0)


def _read_range(recording: Recording, start: int, end: int) -> bytes:
    """Return bytes [start, end) of a growing recording."""
    moved = [(first, last) for first, last in recording.segments if last > start]
    begins = min([first for first, _ in moved], default=max(start, recording.moved_bytes))
    key_id = recording.data_key if moved else None
    segments = [read_file(segment_name(recording.id, *segment), key_id=key_id) for segment in moved]
    pcm = b"".join([*segments, buffer.read(recording.id, max(begins, recording.moved_bytes), end)])
    if len(pcm) < end - begins:
        raise AudioMissing(begins + len(pcm), end)
    return pcm[start - begins :]


def store(recording: Recording, *, now: datetime) -> bool:
    """Write a sealed recording to object storage as FLAC and read it back. Return whether this call did it.

    Raises AudioMissing, or OSError when the storage fails or returns other samples than were written.
    """
    pcm = read_pcm(recording)
    digest, peaks = hashlib.sha256(pcm).hexdigest(), peaks_of(pcm)
    name = f"{directory(recording.id)}{digest}.flac"
    write_once(name, pcm, encode=encoding.encode_flac, decode=decoded, key_id=recording.data_key)
    is_ours = sql.change(_STORE, name, digest, peaks, now, recording.pk)
    if is_ours:
        recording.status, recording.storage_name = Recording.Status.STORED, name
        recording.sha256, recording.peaks, recording.stored_at = digest, peaks, now
        metrics.recording_stored(len(pcm), sealed_at=recording.sealed_at or now, now=now)
        signals.recording_stored.send(Recording, recording=recording)
        with contextlib.suppress(redis.RedisError):  # it expires by itself later
            buffer.delete(recording.id)
        delete_files(recording.id, but=name)  # segments, also of a mover that died before it updated the row
    elif not Recording.objects.filter(pk=recording.pk, storage_name=name).exists():
        default_storage.delete(name)  # the recording was discarded or erased meanwhile
    return bool(is_ours)


_STORE = """
UPDATE voice_recording SET status = 'stored', storage_name = %s, sha256 = %s, peaks = %s, stored_at = %s
WHERE id = %s AND status = 'sealed'
"""


def write_once(name: str, pcm: bytes, *, encode: Coding, decode: Coding, key_id: UUID | None) -> None:
    """Store `pcm` under its name unless it is there already; verify by reading back.

    key_id: the data key of the recording. Raises OSError when the storage fails or returns other samples than
    were written, and KeyDestroyed.
    """

    def is_there() -> bool:
        try:
            return decode(read_file(name, key_id=key_id)) == pcm
        except VoiceError:
            return False

    if default_storage.exists(name) and is_there():
        return
    content = encode(pcm)
    with tracing.span("put recordings", "CLIENT", attributes={"file.size": len(content)}):
        files.save(name, content, key_id=key_id)
    if not is_there():
        raise OSError(f"{name} does not hold the samples that were written to it")


def _data_key(recording_id: UUID) -> UUID | None:
    return Recording.objects.filter(pk=recording_id).values_list("data_key", flat=True).first()


def read_file(name: str, *, key_id: UUID | None) -> bytes:
    """Return what a file holds. Raises FileNotFoundError, and VoiceError if it cannot be decrypted."""
    with tracing.span("get recordings", "CLIENT"):
        return files.read(name, key_id=key_id)


def decoded(flac: bytes) -> bytes:
    """Return the PCM of a stored recording. Raises VoiceError when it is damaged."""
    pcm, _ = decoding.decode_flac(flac)
    return pcm


def delete_files(recording_id: UUID, *, but: str) -> None:
    """Delete all files of a recording but one."""
    for name in object_storage.names(directory(recording_id)):
        if name != but:
            default_storage.delete(name)


def segment_name(recording_id: UUID, start: int, end: int) -> str:
    """Return the name of a segment; the same range always holds the same bytes."""
    return f"{directory(recording_id)}segment-{start}-{end}.pcm"


def directory(recording_id: UUID | str) -> str:
    """Return what the names of all files of a recording begin with."""
    return f"recordings/{recording_id}/"
