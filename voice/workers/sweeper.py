"""The sweeper: queue again all rows that wait in PostgreSQL without a live job."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q, QuerySet
from django.utils import timezone

from voice.infra import redis_clients
from voice.models import BatchFile, PendingErasure, Recording, Speech, Transcript, TranscriptVersion
from voice.queues import erasing, spilling, sweeps
from voice.queues.leases import pending
from voice.recordings import queueing
from voice.service import batches
from voice.speech import rendering
from voice.workers import unheard
from voice.workers.attempts import ENGINE_RETRY_S

SWEEP_AT_MOST = 1000
LONGEST_WAIT_S = 2 * ENGINE_RETRY_S
"""No row is postponed for this long."""


def sweep() -> None:
    """Queue all rows that wait in PostgreSQL without a live job. Runs every few seconds.

    These rows were queued before and lost, or failed, or were deferred; the oldest `SWEEP_AT_MOST` of each
    kind. Jobs that wait too long for one pool of workers move to another.
    """
    unheard.sort_out()
    spilling.spill(redis_clients.sync_client())
    is_due = _is_due(timezone.now())
    waiting = Transcript.objects.filter(is_due, status=Transcript.Status.WAITING)
    sealed = Recording.objects.filter(is_due, status=Recording.Status.SEALED)
    unspoken = Speech.objects.filter(is_due, status=Speech.Status.WAITING)
    for is_deferred in (False, True):
        queue_again(
            waiting.filter(is_deferred=is_deferred)
            .order_by("retry_at")
            .values_list("recording_id", "recording__owner", "recording__language"),
            queueing.transcription_job_id,
            partial(queueing.queue_transcription, is_deferred=is_deferred),
            about=("tenant", "language"),
        )
    versions = TranscriptVersion.objects.filter(is_due, status=TranscriptVersion.Status.WAITING)
    queue_again(
        versions.order_by("retry_at").values_list("recording_id", "recording__owner", "recording__language"),
        queueing.version_job_id,
        queueing.queue_version,
        about=("tenant", "language"),
    )
    queue_again(
        sealed.order_by("retry_at").values_list("pk"),
        queueing.storing_job_id,
        queueing.queue_storing,
    )
    queue_again(
        unspoken.order_by("retry_at").values_list("pk", "voice", "language"),
        rendering.rendering_job_id,
        rendering.queue_rendering,
        about=("voice", "language"),
    )
    _sweep_batches(is_due)
    queue_again(
        PendingErasure.objects.filter(is_due).order_by("retry_at").values_list("pk"),
        erasing.erasing_job_id,
        erasing.queue_erasure,
    )
    sweeps.note(redis_clients.sync_client())


def _sweep_batches(is_due: Q) -> None:
    files = BatchFile.objects.filter(is_due, status=BatchFile.Status.WAITING)
    queue_again(
        files.order_by("retry_at").values_list("pk", "batch__owner", "batch__language"),
        batches.transcription_job_id,
        batches.queue_transcription,
        about=("tenant", "language"),
    )
    queue_again(
        batches.with_needless_upload().filter(is_due).order_by("retry_at").values_list("pk"),
        batches.deletion_job_id,
        batches.queue_deletion,
    )


def _is_due(now: datetime) -> Q:
    """Select rows that are due, or postponed for longer than possible: then the clock was set back."""
    return Q(retry_at__lte=now) | Q(retry_at__gt=now + timedelta(seconds=LONGEST_WAIT_S))


def queue_again(
    rows: QuerySet | list[tuple], job_id_of: Callable, queue: Callable, *, about: Sequence[str] = ()
) -> None:
    """Call `queue` for those of the first rows that have no live job.

    rows: the id of each, and what else `queue` takes, under the names `about`.
    """
    due = list(rows[:SWEEP_AT_MOST])
    alive = pending([job_id_of(row_id) for row_id, *_ in due], redis_clients.sync_client())
    for row_id, *further in due:
        if job_id_of(row_id) not in alive:
            queue(row_id, **dict(zip(about, further, strict=True)))
