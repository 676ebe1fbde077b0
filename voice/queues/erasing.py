"""Ask for the erasure of files, keys in Redis and jobs whose row is being deleted."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from voice.models import PendingErasure
from voice.queues import jobs

JOB = "voice.workers.erasing.erase"
NOT_SWEPT = timedelta(seconds=5)
"""The job is queued after the commit; a sweep in between would queue it twice."""


def request(store: PendingErasure.Store, keys: Iterable[UUID | str]) -> None:
    """Have what is left of these keys erased. Call it in the transaction that deletes their rows."""
    for row in note(store, keys):  # one that was pending before keeps its own id, and the sweeper queues it
        queue_erasure(row.pk)


def note(store: PendingErasure.Store, keys: Iterable[UUID | str]) -> list[PendingErasure]:
    """Do as `request`, but leave it to the sweeper, and to a caller who erases without waiting for it."""
    retry_at = timezone.now() + NOT_SWEPT
    rows = [PendingErasure(store=store, key=str(key), retry_at=retry_at) for key in keys]
    return PendingErasure.objects.bulk_create(rows, ignore_conflicts=True)


def erasing_job_id(pending_id: UUID) -> str:
    """Return the id of the one job that may erase this."""
    return f"erase-{pending_id}"


def queue_erasure(pending_id: UUID) -> None:
    """Queue the erasure."""
    jobs.enqueue("default", JOB, str(pending_id), job_id=erasing_job_id(pending_id))
