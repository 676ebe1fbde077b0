"""The jobs that work on a recording, and their queues."""

from uuid import UUID

from voice.queues import jobs, pools


def transcription_job_id(recording_id: UUID | str) -> str:
    """Return the id of the one job that may transcribe the recording."""
    return f"transcribe-{recording_id}"


def storing_job_id(recording_id: UUID | str) -> str:
    """Return the id of the one job that may store the recording."""
    return f"store-{recording_id}"


def queue_transcription(recording_id: UUID, *, tenant: str, language: str, is_deferred: bool = False) -> None:
    """Queue the transcription of a sealed recording; a deferred one waits for more urgent work.

    tenant, language: the owner and the language of the recording.
    """
    jobs.enqueue(
        "stt-later" if is_deferred else "stt",
        "voice.workers.transcription.transcribe",
        str(recording_id),
        job_id=transcription_job_id(recording_id),
        tenant=tenant,
        needs=pools.language(language),
    )


def version_job_id(recording_id: UUID | str) -> str:
    """Return the id of the one job that may transcribe the recording again."""
    return f"transcribe-again-{recording_id}"


def queue_version(recording_id: UUID, *, tenant: str, language: str) -> None:
    """Queue the version of the transcript that waits, behind whatever is more urgent.

    tenant, language: the owner and the language of the recording.
    """
    jobs.enqueue(
        "stt-later",
        "voice.workers.transcription.transcribe_again",
        str(recording_id),
        job_id=version_job_id(recording_id),
        tenant=tenant,
        needs=pools.language(language),
    )


def queue_storing(recording_id: UUID) -> None:
    """Queue the storing of a sealed recording."""
    jobs.enqueue(
        "default", "voice.workers.storing.store", str(recording_id), job_id=storing_job_id(recording_id)
    )


def moving_job_id(recording_id: UUID | str) -> str:
    """Return the id of the one job that may move the recording's segments."""
    return f"move-{recording_id}"


def queue_moving(recording_id: UUID) -> None:
    """Queue the move of segments to object storage, before all other storing jobs."""
    job_id = moving_job_id(recording_id)
    jobs.enqueue_now(
        "default",
        "voice.workers.storing.move_segments",
        str(recording_id),
        job_id=job_id,
        at_front=True,
    )
