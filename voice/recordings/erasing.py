"""Erase what is left of a recording whose row was discarded or deleted."""

import logging
from uuid import UUID

from voice.encryption import keys
from voice.infra import object_storage, redis_clients
from voice.models import PendingErasure
from voice.queues import jobs, leases
from voice.recordings import buffer, kept, queueing, storage

logger = logging.getLogger(__name__)


def erase(key: str) -> None:
    """Erase all of the recording with the id `key`: audio, what is kept of its text, files, uploads, jobs."""
    jobs.forget(_job_ids(key))
    buffer.erase(key)
    kept.erase(key)
    object_storage.delete(storage.directory(key))


def find(key: str) -> list[str]:
    """Return what is left: a file, buffered audio, or a job that a worker is at and that may write one."""
    prefix = storage.directory(key)
    uploads = [upload.name for upload in object_storage.incomplete_uploads(prefix)]
    running = sorted(leases.pending(_job_ids(key), redis_clients.sync_client()))
    return [*object_storage.names(prefix), *uploads, *buffer.keys(key), *kept.keys(key), *running]


def destroy_key(key: str) -> None:
    """Destroy the data key with the id `key`; nothing happens if there is none."""
    keys.destroy(UUID(key))


def find_key(key: str) -> list[str]:
    """Return the data key, if it is still there."""
    return [f"data key {key}"] if keys.exists(UUID(key)) else []


def erase_now(recording_id: UUID) -> None:
    """Erase without a job. Where a store is away, or a worker is still at it, the sweeper goes on later."""
    key = str(recording_id)
    try:
        erase(key)
        if not find(key):
            PendingErasure.objects.filter(store=PendingErasure.Store.RECORDING, key=key).delete()
    except Exception as error:  # noqa: BLE001  of any store; the pending row stays
        logger.warning("recording %s is erased later: %s", key, type(error).__name__)


def _job_ids(key: str) -> list[str]:
    names = (
        *(queueing.transcription_job_id, queueing.version_job_id),
        *(queueing.storing_job_id, queueing.moving_job_id),
    )
    return [name(key) for name in names]
