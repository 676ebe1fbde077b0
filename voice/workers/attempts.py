"""Attempts: how often work is tried, and what happens when it fails."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import F, QuerySet
from django.utils import timezone

from voice.errors import VoiceError
from voice.infra.backoff import pause_s
from voice.models import BatchFile, PendingErasure, Recording, Speech, Transcript, TranscriptVersion
from voice.models.encrypted import encrypted
from voice.workers import slot

Row = TypeVar("Row", Transcript, TranscriptVersion, BatchFile)
"""A row that waits for its transcript. All have status, attempts, last_error, retry_at and finished_at."""
WAITING = Transcript.Status.WAITING  # the same value for all
MAX_ATTEMPTS = 5
"""A recording that fails, or ends its worker, this many times is given up and says so."""
RETRY_FIRST_S, RETRY_LONGEST_S = 1, 10
STORE_RETRY_S = 10
"""For when object storage is unreachable, or Redis lost the audio and its source has not sent it again."""
ENGINE_RETRY_S = 60
"""Without an engine for the language there is no hurry; the recording waits as long as it takes."""


def take_back_drained(row: Row | Speech) -> None:
    """Take back the last attempt if a worker that was asked to end made it: the row did no wrong."""
    if slot.is_drained():
        rows: QuerySet = type(row).objects.all()
        if rows.filter(pk=row.pk, attempts__gt=0).update(attempts=F("attempts") - 1):
            row.attempts -= 1


def retry_s(attempts: int) -> float:
    """Exponential back-off in seconds: 1, 2, 4, 8, 10, 10 …"""
    return pause_s(attempts, first_s=RETRY_FIRST_S, longest_s=RETRY_LONGEST_S)


def give_up(row: Row, error: str, finished: Callable[[Row], None]) -> None:
    end(row, finished, status=row.Status.FAILED, last_error=error[:500])


def end(row: Row, finished: Callable[[Row], None], **fields: Any) -> None:
    """Finish the row, unless another job did, or the row is gone."""
    waiting = type(row).objects.filter(pk=row.pk, status=WAITING)
    key_id = None if isinstance(row, BatchFile) else row.data_key
    written = encrypted(type(row), fields, key_id=key_id)
    if waiting.update(finished_at=timezone.now(), **written):
        row.refresh_from_db()
        finished(row)


def postpone(
    row: Transcript | TranscriptVersion | BatchFile | Recording | Speech | PendingErasure,
    error: Exception,
    after_s: float,
) -> bool:
    """Let the sweeper queue the row again after `after_s`, and note why; False if the row is gone."""
    fields: dict[str, Any] = {"retry_at": timezone.now() + timedelta(seconds=after_s)}
    if not isinstance(row, Recording):
        fields["last_error"] = _described(error)
    rows: QuerySet = type(row).objects.all()
    return bool(rows.filter(pk=row.pk).update(**fields))


def _described(error: Exception) -> str:
    """Return our own messages; of other errors only the type, because they may quote what they read."""
    return (
        str(error)[:500]
        if isinstance(error, VoiceError)
        else f"{type(error).__name__} in a store or an engine"
    )
