"""What workers run. A job gets an id, reads the row, and accepts that the row is gone or already done.

PostgreSQL knows what waits. A job that fails leaves the row waiting with a later `retry_at`, and `sweep`
queues it again; so does a job whose worker died, or a queue that was lost. Queues are only hints.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from voice import errors, metrics, signals
from voice.audio.pcm import samples_from_s16le
from voice.errors import AudioRejected, EngineUnavailable, VoiceError
from voice.infra import redis_clients
from voice.models import Batch, BatchFile, Recording, Speech, Transcript
from voice.queues import calls
from voice.queues.leases import pending
from voice.recordings import buffer, lifecycle
from voice.service import batches
from voice.service.requests import TranscriptionRequest
from voice.speech import rendering
from voice.text.transcripts import stored_segment
from voice.types import Recognition

Row = TypeVar("Row", Transcript, BatchFile)
"""What waits to be recognised. Both have status, attempts, last_error, retry_at and finished_at."""
WAITING = Transcript.Status.WAITING  # the same word for both

MAX_ATTEMPTS = 5
"""A recording that fails, or ends its worker, this many times is given up and says so."""
RETRY_FIRST_S, RETRY_FACTOR, RETRY_LONGEST_S = 1, 2, 10
SWEEP_AT_MOST = 1000
STORE_RETRY_S = 10
"""Object storage is away, or Redis lost the audio and its source has not sent it again yet."""
ENGINE_RETRY_S = 60
"""With no engine for the language there is no hurry; the recording waits as long as it takes."""
LONGEST_WAIT_S = 2 * ENGINE_RETRY_S
"""Nothing is put off for so long."""


def retry_s(attempts: int) -> float:
    """Exponential back-off in seconds: 1, 2, 4, 8, 10, 10 …"""
    return min(RETRY_FIRST_S * RETRY_FACTOR ** max(attempts - 1, 0), RETRY_LONGEST_S)


def transcribe(recording_id: str) -> None:
    """Recognise a sealed recording and keep the transcript, once."""
    row = Transcript.objects.select_related("recording").filter(recording_id=recording_id).first()
    if row:
        _recognise_once(
            row,
            read=lambda: lifecycle.read_pcm(row.recording),
            recognise=lambda pcm: _recognise_pcm(pcm, row.recording.language),
            finished=_tell_of_transcript,
        )


def transcribe_file(file_id: str) -> None:
    """Recognise a file of a batch and keep what was heard, once; the upload is deleted."""
    row = BatchFile.objects.select_related("batch").filter(pk=file_id).first()
    if row:
        _recognise_once(
            row,
            read=lambda: batches.read(row),
            recognise=lambda file: _recognise_file(file, row.batch),
            finished=batches.delete_upload,
        )


def delete_upload(file_id: str) -> None:
    """Delete the upload of a file that waits no longer, where that failed before."""
    row = batches.with_needless_upload().filter(pk=file_id).first()
    if row is None:
        return
    try:
        batches.delete_upload(row)
    except Exception:
        retry_at = timezone.now() + timedelta(seconds=STORE_RETRY_S)
        BatchFile.objects.filter(pk=row.pk).update(retry_at=retry_at)
        raise


def _recognise_once(
    row: Row,
    *,
    read: Callable[[], bytes],
    recognise: Callable[[bytes], dict[str, Any]],
    finished: Callable[[Row], None],
) -> None:
    """Recognise what `row` waits for, unless that is done; `finished` is called by whoever ends the waiting.

    recognise: what was heard, as fields of the row.
    """
    if row.status != WAITING:
        return
    if row.attempts >= MAX_ATTEMPTS:  # the last attempt ended without a word: its worker died or hung
        _give_up(row, row.last_error or "The recogniser was ended each time it worked on this.", finished)
        return
    try:
        audio = read()
    except errors.UploadGone as error:
        _give_up(row, str(error), finished)
        raise
    except Exception as error:  # whichever store failed, the recording is not to blame: no attempt is counted
        if _postpone(row, error, STORE_RETRY_S):
            raise
        return  # given up in the meantime, and its audio with it
    rows = type(row).objects.filter(pk=row.pk)
    rows.update(attempts=F("attempts") + 1)
    try:
        heard = recognise(audio)
    except AudioRejected as error:
        _give_up(row, str(error), finished)
        raise
    except EngineUnavailable as error:
        rows.update(attempts=F("attempts") - 1)
        _postpone(row, error, ENGINE_RETRY_S)
        raise
    except Exception as error:
        _postpone(row, error, retry_s(row.attempts + 1))
        raise
    _end(row, finished, status=row.Status.DONE, last_error="", **heard)


def _recognise_pcm(pcm: bytes, language: str) -> dict[str, Any]:
    from voice.workers import answering  # engines belong to the processes that recognise

    started = time.monotonic()
    result = answering.recognised(samples_from_s16le(pcm), TranscriptionRequest(language=language))
    engine_ms = round(1000 * (time.monotonic() - started))
    segments = [stored_segment(segment) for segment in result.segments]
    return _heard(result) | {"segments": segments, "confidence": result.confidence, "engine_ms": engine_ms}


def _recognise_file(file: bytes, batch: Batch) -> dict[str, Any]:
    from voice.workers import answering

    request = TranscriptionRequest(
        language=batch.language, hot_words=batch.hot_words, is_diarized=batch.is_diarized
    )
    samples = answering.decoded(file)
    result = answering.recognised(samples, request)
    if not batch.is_diarized:
        segments = [stored_segment(segment) for segment in result.segments]
    else:
        result, speakers = answering.with_speakers(samples, result)
        named = zip(result.segments, speakers, strict=True)
        segments = [stored_segment(segment) | {"speaker": speaker} for segment, speaker in named]
    return _heard(result) | {"segments": segments, "duration_s": result.duration_s}


def _heard(result: Recognition) -> dict[str, Any]:
    return {
        "text": result.text,
        "language": result.language or "",
        "language_probability": result.language_probability,
        "engine": result.engine,
        "model": result.model,
    }


def _give_up(row: Row, error: str, finished: Callable[[Row], None]) -> None:
    _end(row, finished, status=row.Status.FAILED, last_error=error[:500])


def _end(row: Row, finished: Callable[[Row], None], **fields: Any) -> None:
    """End the waiting, unless another job did, or the row is gone."""
    waiting = type(row).objects.filter(pk=row.pk, status=WAITING)
    if waiting.update(finished_at=timezone.now(), **fields):
        row.refresh_from_db()
        finished(row)


def _tell_of_transcript(row: Transcript) -> None:
    now = timezone.now()
    metrics.transcript_ended(row.status, sealed_at=row.recording.sealed_at or now, now=now)
    signals.transcript_finished.send(Transcript, transcript=row)


def _postpone(row: Transcript | BatchFile | Recording | Speech, error: Exception, after_s: float) -> bool:
    """Let the sweeper queue the row again after so many seconds, and note why; False if the row is gone."""
    fields: dict[str, Any] = {"retry_at": timezone.now() + timedelta(seconds=after_s)}
    if not isinstance(row, Recording):
        fields["last_error"] = _described(error)
    rows: QuerySet = type(row).objects.all()
    return bool(rows.filter(pk=row.pk).update(**fields))


def _described(error: Exception) -> str:
    """Our own messages are written to be read; of others only the kind, for they may quote what they read."""
    return (
        str(error)[:500]
        if isinstance(error, VoiceError)
        else f"{type(error).__name__} in a store or an engine"
    )


def recognise_partial(recording_id: str, start: int, end: int, language: str, reply_to: str) -> None:
    """Recognise bytes [start, end) of a recording under way and tell the connection that asked.

    Best effort: nothing is kept, nothing is tried again.
    """
    from voice.inference import recognizer
    from voice.infra import channel_layer

    pcm = buffer.read(recording_id, start, end)
    if len(pcm) < end - start:
        return  # too late: it was stored, or discarded
    samples = samples_from_s16le(pcm)
    result = recognizer.recognizer().recognize(samples, language=language or None, is_partial=True)
    channel_layer.send(reply_to, {"type": "voice.partial", "start": start, "end": end, "text": result.text})


def answer_call(call_id: str) -> None:
    """Do what somebody waits for (`voice.queues.calls`), and tell them if it cannot be done."""
    from voice.workers import answering  # engines belong to the processes that use them

    if call := calls.asked(call_id):
        answering.answer(call)


def move_segments(recording_id: str) -> None:
    """Move what is due of a growing recording to object storage. It is asked for again if this fails."""
    while (segment := buffer.due(recording_id)) is not None:
        if not lifecycle.move_segment(UUID(recording_id), *segment):
            return


def move_resting() -> None:
    """Move what nobody goes on with: whoever left in the middle of an answer may come back in a day."""
    opened = Recording.objects.filter(status=Recording.Status.OPEN).values_list("pk", flat=True)
    _queue_again(buffer.all_due(list(opened)), lifecycle.moving_job_id, lifecycle.queue_moving)


def store(recording_id: str) -> None:
    """Move a sealed recording to object storage."""
    recording = lifecycle.sealed(recording_id)
    if recording is None:
        return
    try:
        lifecycle.store(recording, now=timezone.now())
    except Exception as error:
        if not Recording.objects.filter(pk=recording_id).exclude(status=Recording.Status.DISCARDED).exists():
            return  # given up in the meantime: what could not be read is not there any more
        _postpone(recording, error, STORE_RETRY_S)
        raise


def render_speech(key: str) -> None:
    """Synthesise a requested text and keep it."""
    from voice.inference import synthesizer

    try:
        row = Speech.objects.exclude(status=Speech.Status.READY).get(pk=key)
    except ObjectDoesNotExist:
        return
    Speech.objects.filter(pk=key).update(attempts=F("attempts") + 1)
    try:
        result = synthesizer.synthesizer().synthesize(
            row.text, voice=row.voice or None, language=row.language
        )
    except Exception as error:
        _postpone(row, error, retry_s(row.attempts + 1))
        if row.attempts + 1 >= MAX_ATTEMPTS:
            Speech.objects.filter(pk=key, status=Speech.Status.WAITING).update(status=Speech.Status.FAILED)
        raise
    rendering.store(
        row,
        samples=result.samples,
        sample_rate_hz=result.sample_rate_hz,
        engine=result.engine,
        engine_voice=result.voice,
        is_last_resort=result.is_last_resort,
    )


def sweep() -> None:
    """Queue whatever waits in PostgreSQL while no live job works on it. Runs every few seconds.

    That is what was queued before and lost, or failed, or deferred; the oldest `SWEEP_AT_MOST` of each.
    """
    is_due = _is_due(timezone.now())
    waiting = Transcript.objects.filter(is_due, status=Transcript.Status.WAITING)
    sealed = Recording.objects.filter(is_due, status=Recording.Status.SEALED)
    unspoken = Speech.objects.filter(is_due, status=Speech.Status.WAITING)
    files = BatchFile.objects.filter(is_due, status=BatchFile.Status.WAITING)
    for is_deferred in (False, True):
        _queue_again(
            waiting.filter(is_deferred=is_deferred)
            .order_by("retry_at")
            .values_list("recording_id", flat=True),
            lifecycle.transcription_job_id,
            partial(lifecycle.queue_transcription, is_deferred=is_deferred),
        )
    _queue_again(
        sealed.order_by("retry_at").values_list("pk", flat=True),
        lifecycle.storing_job_id,
        lifecycle.queue_storing,
    )
    _queue_again(
        unspoken.order_by("retry_at").values_list("pk", flat=True),
        rendering.rendering_job_id,
        rendering.queue_rendering,
    )
    _queue_again(
        files.order_by("retry_at").values_list("pk", flat=True),
        batches.transcription_job_id,
        batches.queue_transcription,
    )
    _queue_again(
        batches.with_needless_upload().filter(is_due).order_by("retry_at").values_list("pk", flat=True),
        batches.deletion_job_id,
        batches.queue_deletion,
    )


def _is_due(now: datetime) -> Q:
    """What has waited long enough, or for longer than anything is put off: then the clock was set back."""
    return Q(retry_at__lte=now) | Q(retry_at__gt=now + timedelta(seconds=LONGEST_WAIT_S))


def _queue_again(ids: QuerySet | list[UUID], job_id_of: Callable, queue: Callable) -> None:
    due = list(ids[:SWEEP_AT_MOST])
    alive = pending([job_id_of(row_id) for row_id in due], redis_clients.sync_client())
    for row_id in due:
        if job_id_of(row_id) not in alive:
            queue(row_id)
