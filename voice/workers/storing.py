"""Jobs that move audio to object storage or delete it."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from voice.models import BatchFile, Recording
from voice.recordings import buffer, lifecycle, queueing, storage
from voice.service import batches
from voice.workers.attempts import STORE_RETRY_S, postpone
from voice.workers.sweeper import queue_again


def delete_upload(file_id: str) -> None:
    """Delete the upload of a finished file, after an earlier deletion failed."""
    row = batches.with_needless_upload().filter(pk=file_id).first()
    if row is None:
        return
    try:
        batches.delete_upload(row)
    except Exception:
        retry_at = timezone.now() + timedelta(seconds=STORE_RETRY_S)
        BatchFile.objects.filter(pk=row.pk).update(retry_at=retry_at)
        raise


def move_segments(recording_id: str) -> None:
    """Move the due segments of a growing recording to object storage. If this fails, it is queued again."""
    while (segment := buffer.due(recording_id)) is not None:
        if not storage.move_segment(UUID(recording_id), *segment):
            return


def move_resting() -> None:
    """Move idle recordings: a candidate who left during an answer may come back a day later."""
    opened = Recording.objects.filter(status=Recording.Status.OPEN).values_list("pk", flat=True)
    queue_again(
        [(row,) for row in buffer.all_due(list(opened))], queueing.moving_job_id, queueing.queue_moving
    )


def store(recording_id: str) -> None:
    """Move a sealed recording to object storage."""
    recording = lifecycle.sealed(recording_id)
    if recording is None:
        return
    try:
        storage.store(recording, now=timezone.now())
    except Exception as error:
        if not Recording.objects.filter(pk=recording_id).exclude(status=Recording.Status.DISCARDED).exists():
            return  # discarded in the meantime: its audio no longer exists
        postpone(recording, error, STORE_RETRY_S)
        raise
