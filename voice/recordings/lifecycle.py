"""The life of a recording: open, sealed, stored; or discarded.

While it is open its newest bytes are in Redis (`voice.recordings.buffer`), older segments in object storage.
Sealing commits the row and queues two jobs: one transcribes it, the other stores it whole. Under load the
sweeper queues the transcription later. A recording counts as stored only after the stored file was read back
and its samples compared, so its source may then delete the audio.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from voice.audio.pcm import BYTES_A_SECOND
from voice.capacity import shedding
from voice.errors import AudioMissing
from voice.infra import sql
from voice.models import DataKey, PendingErasure, Recording, Transcript, TranscriptVersion
from voice.queues import erasing as pending_erasures
from voice.recordings import buffer, erasing
from voice.recordings.queueing import queue_storing, queue_transcription

NOT_SWEPT = timedelta(seconds=5)
"""The jobs are queued after the commit; a sweep in between would queue them twice."""


def create(
    *,
    language: str,
    max_seconds: float,
    owner: str = "",
    hot_words: str = "",
    data_key: UUID | None = None,
) -> Recording:
    """Create an open recording.

    owner: see `voice.callers.Caller`; the owners' transcripts take turns.
    hot_words: names and terms that are likely to be said.
    data_key: encrypts its files (`voice.encryption.keys.reserve`); several recordings may share one.
    """
    recording = Recording(
        language=language,
        max_bytes=int(max_seconds * BYTES_A_SECOND),
        owner=owner,
        hot_words=hot_words,
        data_key=data_key,
    )
    sql.insert(recording)
    return recording


def allow(*, recording: Recording, max_seconds: float) -> None:
    """Let an open recording become this long. It never becomes shorter than what was allowed before."""
    allowed = int(max_seconds * BYTES_A_SECOND)
    is_open = Recording.objects.filter(pk=recording.pk, status=Recording.Status.OPEN, max_bytes__lt=allowed)
    if is_open.update(max_bytes=allowed):
        recording.max_bytes = allowed


_ALL = sql.Part(Recording, "r")
_SEALED = f"SELECT {_ALL.names} FROM voice_recording r WHERE r.id = %s AND r.status = 'sealed'"  # noqa: S608


def sealed(recording_id: UUID | str) -> Recording | None:
    """Return the recording if it is complete and not stored yet."""
    found = sql.fetch(_SEALED, recording_id)
    return _ALL.of(found[0]) if found else None


async def open_for(recording: Recording, *, writer: str) -> int:
    """Let `writer` send audio; return the byte offset to send from.

    A sealed recording can be opened too: if Redis lost it, its source sends it again.

    Raises:
        buffer.Erased: the recording was discarded or erased just now.
    """
    return await buffer.open_for(
        recording.id,
        writer=writer,
        limit_bytes=recording.limit_bytes,
        stored_bytes=recording.moved_bytes,
    )


def held_bytes(recording: Recording) -> int:
    """Return how many bytes are held without a gap while the recording grows."""
    return max(buffer.held(recording.id), recording.moved_bytes)


def seal(*, recording: Recording, at_least: int, now: datetime) -> bool:
    """Complete the recording with the bytes held; queue its storage and, unless deferred, its transcription.

    A recording without a single sample is discarded instead. Returns whether this call sealed it; `recording`
    is up to date in either case. Raises AudioMissing when fewer than `at_least` bytes are held.
    """
    held = max(buffer.seal(recording.id, at_least=at_least), recording.moved_bytes)
    if held < at_least:
        raise AudioMissing(held, at_least)
    with transaction.atomic(savepoint=False):
        is_ours = _end_growth(recording, held, now=now)
        if is_ours and recording.byte_count:
            is_deferred = shedding.is_off(shedding.Step.TRANSCRIPTS)
            if is_deferred:  # the sweeper queues it, so that a long backlog is never all in Redis
                sql.insert(Transcript(recording=recording, retry_at=now, is_deferred=True))
            else:
                sql.insert(Transcript(recording=recording, retry_at=now + NOT_SWEPT))
                queue_transcription(recording.pk, tenant=recording.owner, language=recording.language)
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


# The row decides what was moved: `recording` may be outdated, and Redis may have lost everything.
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


def discard(*, recording: Recording) -> None:
    """Discard the audio and the transcript, for example for a retake or after practice."""
    with transaction.atomic():
        row = Recording.objects.select_for_update().get(pk=recording.pk)
        Transcript.objects.filter(recording=row).delete()
        row.versions.all().delete()
        row.status, row.storage_name, row.sha256 = Recording.Status.DISCARDED, "", ""
        row.save(update_fields=["status", "storage_name", "sha256"])
        pending_erasures.note(PendingErasure.Store.RECORDING, [row.id])
        transaction.on_commit(lambda: erasing.erase_now(row.id))


def end_recognition(*, recording_ids: Sequence[UUID]) -> None:
    """Recognise these recordings no more. Transcripts, and versions of them, that still wait are deleted."""
    Transcript.objects.filter(recording__in=recording_ids, status=Transcript.Status.WAITING).delete()
    versions = TranscriptVersion.objects.filter(recording__in=recording_ids)
    versions.filter(status=TranscriptVersion.Status.WAITING).delete()


def erase(*, recording_ids: Sequence[UUID], data_keys: Sequence[UUID] = ()) -> None:
    """Erase recordings and transcripts: the rows now, all else by the sweeper's jobs, until it is gone.

    data_keys: those that encrypt these recordings and nothing else. A job destroys them as soon as the
    transaction ends, before anything else: from then on no copy of the files can be read.
    """
    with transaction.atomic():
        DataKey.objects.filter(pk__in=data_keys).delete()
        pending_erasures.request(PendingErasure.Store.DATA_KEY, data_keys)
        Recording.objects.filter(pk__in=recording_ids).delete()
        pending_erasures.note(PendingErasure.Store.RECORDING, recording_ids)
