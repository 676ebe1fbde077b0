"""Recordings after a restore: PostgreSQL is as it was at one moment, object storage as it was later.

A stored recording needs its file. One that grew at that moment needs its segments, which are deleted once the
recording is stored as a whole. Then its whole file holds the same samples, and more.
"""

import hashlib
from uuid import UUID

from django.db import transaction

from voice.errors import KeyDestroyed, KeyMissing, VoiceError
from voice.infra import object_storage
from voice.models import Recording
from voice.recordings import storage


def fault(recording: Recording, *, is_read: bool) -> str:
    """Return what object storage lacks of a recording, or "" if it is whole.

    is_read: read a stored recording and compare its samples; otherwise only look whether the file is there.
    """
    names = object_storage.names(storage.directory(recording.id))
    if recording.status == Recording.Status.STORED:
        if recording.storage_name not in names:
            return "its file is gone"
        return _damage(recording) if is_read else ""
    if recording.status in storage.GROWING:
        segments = [storage.segment_name(recording.id, *segment) for segment in recording.segments]
        gone = sum(name not in names for name in segments)
        return f"{gone} of {len(segments)} segments are gone" if gone else ""
    return ""


def _damage(recording: Recording) -> str:
    try:
        pcm = storage.decoded(storage.read_file(recording.storage_name, key_id=recording.data_key))
    except (KeyDestroyed, KeyMissing):
        return "its data key is gone"
    except VoiceError:
        return "its file is damaged"
    if hashlib.sha256(pcm).hexdigest() != recording.sha256 or len(pcm) != recording.byte_count:
        return "its file holds other samples"
    return ""


@transaction.atomic
def mend(recording_id: UUID) -> bool:
    """Make a recording agree with object storage. Return whether nothing of it is lost.

    A stored one without its file is sealed again: its source sends it, if it still has it.

    Segments that are gone are cut from the whole file, and so is what was said after that moment. Without a
    whole file the recording ends before the first segment that is gone: its source sends the rest again, if
    it still has it.

    Raises OSError when the storage fails.
    """
    recording = Recording.objects.select_for_update().get(pk=recording_id)
    if recording.status in storage.GROWING:
        return _mend_growing(recording)
    if recording.status == Recording.Status.STORED:
        if fault(recording, is_read=False):
            _seal_again(recording)
            return False
        storage.delete_files(recording_id, but=recording.storage_name)  # segments that came back or over
    return True


def _seal_again(recording: Recording) -> None:
    recording.status, recording.segment_ends = Recording.Status.SEALED, []
    recording.storage_name = recording.sha256 = ""
    recording.save(update_fields=["status", "segment_ends", "storage_name", "sha256"])


def _mend_growing(recording: Recording) -> bool:
    names = object_storage.names(storage.directory(recording.id))
    pcm = _whole(names, recording.data_key)[: recording.limit_bytes]
    ends = _ends_of_kept(recording, names, pcm)
    is_whole = ends == recording.segment_ends
    if len(pcm) > (last := ends[-1] if ends else 0):
        _write_segment(recording, last, len(pcm), pcm)
        ends.append(len(pcm))
    recording.segment_ends = ends
    recording.save(update_fields=["segment_ends"])
    return is_whole


def _ends_of_kept(recording: Recording, names: list[str], pcm: bytes) -> list[int]:
    """Return where the segments end that are there, or that could be cut from `pcm`, up to the first gap."""
    ends = []
    for start, end in recording.segments:
        if storage.segment_name(recording.id, start, end) not in names:
            if len(pcm) < end:
                break
            _write_segment(recording, start, end, pcm)
        ends.append(end)
    return ends


def _whole(names: list[str], key_id: UUID | None) -> bytes:
    """Return the samples of the whole file of a recording; none if it is damaged or not there."""
    for name in names:
        digest, _, kind = name.rpartition("/")[2].partition(".")
        if kind != "flac":
            continue
        try:
            pcm = storage.decoded(storage.read_file(name, key_id=key_id))
        except VoiceError:
            continue
        if hashlib.sha256(pcm).hexdigest() == digest:
            return pcm
    return b""


def _write_segment(recording: Recording, start: int, end: int, pcm: bytes) -> None:
    name = storage.segment_name(recording.id, start, end)
    storage.write_once(name, pcm[start:end], encode=bytes, decode=bytes, key_id=recording.data_key)
