"""Batches of files, transcribed when there is time: rows in PostgreSQL, uploads in object storage until then.

A batch belongs to its caller's owner; other callers cannot see it.
"""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from voice.capacity import upload_limits
from voice.errors import RequestRefused, UploadGone
from voice.models import Batch, BatchFile, PendingErasure
from voice.queues import erasing, jobs, pools
from voice.service.requests import TranscriptionRequest
from voice.text.normalisation import normalise
from voice.text.transcripts import stored_segment_fields

QUEUE = "stt-batch"
FILE_NAME_CHARS = 255
UPLOAD_WITHIN_S = 3600
"""If the process dies during the upload, the sweeper then takes the stored files and gives up the others."""


def create(*, owner: str, request: TranscriptionRequest, files: Sequence[UploadedFile]) -> Batch:
    """Store the uploads and queue their transcription.

    Raises:
        RequestRefused: no file, too many, an empty one, or one that is too large.
    """
    check(files)
    batch = Batch(
        owner=owner, language=request.language, hot_words=request.hot_words, is_diarized=request.is_diarized
    )
    rows = [_row(batch, position, file) for position, file in enumerate(files)]
    with transaction.atomic():  # rows come first: an upload without a row would never be found
        batch.save()
        BatchFile.objects.bulk_create(rows)
    try:
        for row, file in zip(rows, files, strict=True):
            default_storage.save(row.storage_name, file)
        with transaction.atomic():
            batch.files.update(retry_at=timezone.now())
            for row in rows:
                queue_transcription(row.pk, tenant=owner, language=batch.language)
    except BaseException:
        delete(batch)
        raise
    return batch


def check(files: Sequence[UploadedFile]) -> None:
    """Refuse files that would not be transcribed.

    Raises:
        RequestRefused: no file, too many, an empty one, or one that is too large.
    """
    limit = settings.VOICE["MAX_BATCH_FILES"]
    if not files:
        raise RequestRefused("files", "send at least one file.")
    if len(files) > limit:
        raise RequestRefused("files", f"send at most {limit} files at a time.", code="too_large")
    for position, file in enumerate(files):
        upload_limits.check_size(file.size or 0, field=f"files.{position}")


def count_files(owner: str) -> dict[str, int]:
    """Return how many files of the owner's batches are waiting, done and failed."""
    found = BatchFile.objects.filter(batch__owner=owner).values_list("status").annotate(Count("pk"))
    return dict.fromkeys(BatchFile.Status.values, 0) | dict(found)


def of_owner(owner: str) -> QuerySet[Batch]:
    """Return the owner's batches, latest first, each with `total`, `done` and `failed` files."""
    return (
        Batch.objects.filter(owner=owner)
        .annotate(
            total=Count("files"),
            done=Count("files", filter=~Q(files__status=BatchFile.Status.WAITING)),
            failed=Count("files", filter=Q(files__status=BatchFile.Status.FAILED)),
        )
        .order_by("-created_at")
    )


def file_of_owner(owner: str, batch_id: UUID, file_id: UUID) -> BatchFile | None:
    """Return the file of the batch if it belongs to this owner."""
    return BatchFile.objects.filter(pk=file_id, batch_id=batch_id, batch__owner=owner).first()


def delete(batch: Batch) -> None:
    """Delete uploads, results and rows. What a worker produces for a file meanwhile is dropped."""
    for row in batch.files.all():  # uploads first: without its row an upload could not be deleted
        _erase_upload(row)
    with transaction.atomic():
        erasing.request(PendingErasure.Store.BATCH, [batch.pk])  # what was never completed
        batch.delete()


def directory(key: object) -> str:
    """Return what the names of all uploads of a batch begin with."""
    return f"batches/{key}/"


def read(row: BatchFile) -> bytes:
    """Return the uploaded file.

    Raises:
        UploadGone: it is no longer in storage.
    """
    try:
        with default_storage.open(row.storage_name) as file:
            return file.read()
    except FileNotFoundError:
        raise UploadGone("The file was lost before it was recognised; send it again.") from None


def delete_upload(row: BatchFile) -> None:
    """Delete the uploaded file of a row that is finished."""
    _erase_upload(row)
    BatchFile.objects.filter(pk=row.pk).update(storage_name="")


def with_needless_upload() -> QuerySet[BatchFile]:
    """Return finished files whose upload could not be deleted at once."""
    return BatchFile.objects.exclude(status=BatchFile.Status.WAITING).exclude(storage_name="")


def transcription_job_id(file_id: UUID) -> str:
    """Return the id of the one job that may transcribe the file."""
    return f"transcribe-file-{file_id}"


def queue_transcription(file_id: UUID, *, tenant: str, language: str) -> None:
    """Queue the transcription of a file. tenant, language: the owner and the language of its batch."""
    jobs.enqueue(
        QUEUE,
        "voice.workers.transcription.transcribe_file",
        str(file_id),
        job_id=transcription_job_id(file_id),
        tenant=tenant,
        needs=pools.language(language),
    )


def deletion_job_id(file_id: UUID) -> str:
    """Return the id of the one job that may delete a leftover upload."""
    return f"delete-upload-{file_id}"


def queue_deletion(file_id: UUID) -> None:
    """Queue the deletion of a leftover upload."""
    jobs.enqueue(
        "default", "voice.workers.storing.delete_upload", str(file_id), job_id=deletion_job_id(file_id)
    )


def recognised_fields(row: BatchFile) -> dict[str, Any]:
    """Return the transcript of a finished file, as `voice.text.transcripts.recognition_fields`."""
    words = [word["confidence"] for segment in row.segments for word in segment["words"]]
    return {
        "text": row.text,
        "language": row.language,
        "language_probability": row.language_probability,
        "duration": row.duration_s,
        "confidence": round(sum(words) / len(words), 4) if words else 0.0,
        "segments": [stored_segment_fields(kept) for kept in row.segments],
        "engine": row.engine,
        "model": row.model,
        "skipped_frames": row.skipped_frames,
    }


def _row(batch: Batch, position: int, file: UploadedFile) -> BatchFile:
    pk = uuid4()
    return BatchFile(
        pk=pk,
        batch=batch,
        position=position,
        file_name=normalise(file.name or "")[:FILE_NAME_CHARS],
        storage_name=f"{directory(batch.pk)}{pk}",  # the client's file name has no effect here
        byte_count=file.size or 0,
        retry_at=timezone.now() + timedelta(seconds=UPLOAD_WITHIN_S),
    )


def _erase_upload(row: BatchFile) -> None:
    if row.storage_name:
        with contextlib.suppress(FileNotFoundError):
            default_storage.delete(row.storage_name)
