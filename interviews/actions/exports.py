"""Files about many candidates that programs ask for: asked for here, made by a job, and ended.

`interviews.exports.making` writes the files. An erasure ends every file that its candidate is in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import ApiKey
from interviews.actions.errors import WrongState
from interviews.models import Erasure, Export
from voice.infra import object_storage
from voice.queues import jobs

QUEUE: Final = "default"
JOB: Final = "interviews.jobs.make_export"
MOST_KEPT: Final = 20
"""Files of one organisation at a time."""
MAX_ATTEMPTS: Final = 4
RETRY: Final = timedelta(minutes=1)
WAITING = Export.Status.WAITING


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was written to object storage."""

    storage_name: str
    byte_count: int
    sha256: str


def ask(
    *, kind: Export.Kind, wanted: Mapping[str, str], is_judged: bool, by: ApiKey, now: datetime
) -> Export:
    """Ask for a file. Raises WrongState where the organisation keeps `MOST_KEPT` already."""
    if Export.objects.filter(organisation=by.organisation).count() >= MOST_KEPT:
        raise WrongState(f"{MOST_KEPT} exports are kept already: delete one, or wait until one expires.")
    export = Export.objects.create(
        organisation=by.organisation,
        asked_by=by,
        kind=kind,
        wanted=dict(wanted),
        is_judged=is_judged,
        created_at=now,
        retry_at=now,
    )
    queue(export.pk, organisation_id=export.organisation_id)
    return export


def queue(export_id: UUID, *, organisation_id: int) -> None:
    """Queue the job that makes a file; organisations take turns."""
    jobs.enqueue(QUEUE, JOB, str(export_id), job_id=job_id(export_id), tenant=str(organisation_id))


def job_id(export_id: object) -> str:
    """Return the id of the one job that makes a file."""
    return f"make-export-{export_id}"


def due(*, now: datetime) -> QuerySet[Export]:
    """Return the files that a job is to make now."""
    return Export.objects.filter(status=WAITING, retry_at__lte=now).order_by("retry_at")


def begin(*, export: Export, candidates: Sequence[UUID], total: int, now: datetime) -> bool:
    """Write down who will be in the file, before anything of them is read. False if nobody waits for it."""
    begun = _waiting(export).update(
        candidates=list(candidates),
        done_count=0,
        total=total,
        attempts=export.attempts + 1,
        retry_at=now + RETRY,
    )
    return bool(begun)


def note_progress(*, export: Export, done_count: int, now: datetime) -> None:
    """Write how far it is."""
    _waiting(export).update(done_count=done_count, retry_at=now + RETRY)


def complete(*, export: Export, made: Made, now: datetime) -> bool:
    """Offer the file. False if it is not wanted any more: one of its candidates was erased meanwhile."""
    completed = _waiting(export).update(
        status=Export.Status.DONE,
        storage_name=made.storage_name,
        byte_count=made.byte_count,
        sha256=made.sha256,
        done_count=export.total,
        done_at=now,
    )
    return bool(completed)


def fail(*, export: Export, now: datetime) -> None:
    """Let the sweeper queue it again later; after `MAX_ATTEMPTS` it has failed."""
    if export.attempts >= MAX_ATTEMPTS:
        _waiting(export).update(status=Export.Status.FAILED, candidates=[], done_at=now)
    else:
        _waiting(export).update(retry_at=now + RETRY)


def _waiting(export: Export) -> QuerySet[Export]:
    return Export.objects.filter(pk=export.pk, status=WAITING)


def delete(*, export: Export) -> None:
    """Delete a file, and that it was asked for."""
    object_storage.delete(export.directory)
    export.delete()


def end(invitation_id: UUID, *, erasure: Erasure | None) -> None:
    """Offer no file any more that has this candidate in it. `delete_ended` deletes the files."""
    named = Export.objects.filter(candidates__contains=[invitation_id])
    named.update(status=Export.Status.ENDED, candidates=[], ended_by=erasure)


def delete_ended(erasure: Erasure) -> list[str]:
    """Delete the files that an erasure ended. Return the names of those that are still there."""
    left = []
    for export in erasure.ended_exports.all():
        object_storage.delete(export.directory)
        left += object_storage.names(export.directory)
    return left


def delete_expired(*, now: datetime) -> int:
    """Delete files that are older than `Export.KEPT`, and what a job that died left of ended ones."""
    for export in Export.objects.filter(status=Export.Status.ENDED):
        object_storage.delete(export.directory)
    expired = list(Export.objects.filter(created_at__lte=now - Export.KEPT))
    for export in expired:
        delete(export=export)
    return len(expired)
