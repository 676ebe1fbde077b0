"""What workers run. A job gets an id, reads the row, and accepts that the row is gone or already done.

PostgreSQL knows what waits. A job that fails leaves the row waiting with a later `retry_at`, and `sweep`
queues it again; so does a job whose worker died, or a queue that was lost. Queues are only hints.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import F, QuerySet
from django.utils import timezone

from voice import hot_audio, recordings, signals, speech
from voice.engines.base import AudioRejected, EngineUnavailable, Recognition, Segment, VoiceError
from voice.liveness import pending
from voice.models import Recording, Speech, Transcript

MAX_ATTEMPTS = 5
"""A recording that fails, or ends its worker, this many times is given up and says so."""
RETRY_FIRST_S, RETRY_FACTOR, RETRY_LONGEST_S = 1, 2, 10
SWEEP_AT_MOST = 1000
STORE_RETRY_S = 10
"""Object storage is away, or Redis lost the audio and its source has not sent it again yet."""
ENGINE_RETRY_S = 60
"""With no engine for the language there is no hurry; the recording waits as long as it takes."""


def retry_s(attempts: int) -> float:
    """Exponential back-off in seconds: 1, 2, 4, 8, 10, 10 …"""
    return min(RETRY_FIRST_S * RETRY_FACTOR ** max(attempts - 1, 0), RETRY_LONGEST_S)


def transcribe(recording_id: str) -> None:
    """Recognise a sealed recording and keep the transcript, once."""
    row = Transcript.objects.select_related("recording").filter(recording_id=recording_id).first()
    if row is None or row.status != Transcript.Status.WAITING:
        return
    if row.attempts >= MAX_ATTEMPTS:  # the last attempt ended without a word: its worker died or hung
        _give_up(row, row.last_error or "The recogniser was ended each time it worked on this recording.")
        return
    try:
        pcm = recordings.read_pcm(row.recording)
    except Exception as error:  # whichever store failed, the recording is not to blame: no attempt is counted
        _postpone(row, error, STORE_RETRY_S)
        raise
    Transcript.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    try:
        result, engine_ms = _recognise(pcm, row.recording.language)
    except AudioRejected as error:
        _give_up(row, str(error))
        raise
    except EngineUnavailable as error:
        Transcript.objects.filter(pk=row.pk).update(attempts=F("attempts") - 1)
        _postpone(row, error, ENGINE_RETRY_S)
        raise
    except Exception as error:
        _postpone(row, error, retry_s(row.attempts + 1))
        raise
    _finish_transcript(row, result, engine_ms)


def _recognise(pcm: bytes, language: str) -> tuple[Recognition, int]:
    """What was heard, and the milliseconds it took."""
    from voice import audio, recognition  # engines belong to the processes that recognise

    samples = audio.samples_from_s16le(pcm)
    started = time.monotonic()
    result = recognition.recognizer().recognize(samples, language=language or None)
    return result, round(1000 * (time.monotonic() - started))


def _give_up(row: Transcript, error: str) -> None:
    waiting = Transcript.objects.filter(pk=row.pk, status=Transcript.Status.WAITING)
    changes = {"status": Transcript.Status.FAILED, "last_error": error[:500], "finished_at": timezone.now()}
    if waiting.update(**changes):
        row.refresh_from_db()
        signals.transcript_finished.send(Transcript, transcript=row)


def _postpone(row: Transcript | Recording | Speech, error: Exception, after_s: float) -> None:
    """Let the sweeper queue the row again after so many seconds, and note why."""
    row.retry_at = timezone.now() + timedelta(seconds=after_s)
    if isinstance(row, Recording):
        row.save(update_fields=["retry_at"])
    else:
        row.last_error = _described(error)
        row.save(update_fields=["retry_at", "last_error"])


def _described(error: Exception) -> str:
    """Our own messages are written to be read; of others only the kind, for they may quote what they read."""
    return (
        str(error)[:500]
        if isinstance(error, VoiceError)
        else f"{type(error).__name__} in a store or an engine"
    )


def _finish_transcript(row: Transcript, result: Recognition, engine_ms: int) -> None:
    is_ours = Transcript.objects.filter(pk=row.pk, status=Transcript.Status.WAITING).update(
        status=Transcript.Status.DONE,
        text=result.text,
        language=result.language or "",
        language_probability=result.language_probability,
        confidence=result.confidence,
        segments=[segment_as_json(segment) for segment in result.segments],
        engine=result.engine,
        model=result.model,
        engine_ms=engine_ms,
        last_error="",
        finished_at=timezone.now(),
    )
    if is_ours:
        row.refresh_from_db()
        signals.transcript_finished.send(Transcript, transcript=row)


def segment_as_json(segment: Segment) -> dict:
    """A segment as it is kept and sent; words carry the field names of the voice protocol."""
    fields = asdict(segment)
    fields["words"] = [
        {
            "word": w.text,
            "start": round(w.start_s, 3),
            "end": round(w.end_s, 3),
            "confidence": round(w.confidence, 4),
        }
        for w in segment.words
    ]
    return fields


def recognise_partial(recording_id: str, start: int, end: int, language: str, reply_to: str) -> None:
    """Recognise bytes [start, end) of a recording under way and tell the connection that asked.

    Best effort: nothing is kept, nothing is tried again.
    """
    from voice import audio, channel, recognition

    pcm = hot_audio.read(recording_id, start, end)
    samples = audio.samples_from_s16le(pcm[: len(pcm) // 2 * 2])
    result = recognition.recognizer().recognize(samples, language=language or None, is_partial=True)
    channel.send(reply_to, {"type": "voice.partial", "start": start, "end": end, "text": result.text})


def store(recording_id: str) -> None:
    """Move a sealed recording to object storage."""
    recording = Recording.objects.filter(pk=recording_id, status=Recording.Status.SEALED).first()
    if recording is None:
        return
    try:
        recordings.store(recording, now=timezone.now())
    except Exception as error:
        _postpone(recording, error, STORE_RETRY_S)
        raise


def render_speech(key: str) -> None:
    """Synthesise a requested text and keep it."""
    from voice import synthesis

    try:
        row = Speech.objects.exclude(status=Speech.Status.READY).get(pk=key)
    except ObjectDoesNotExist:
        return
    Speech.objects.filter(pk=key).update(attempts=F("attempts") + 1)
    try:
        result = synthesis.synthesizer().synthesize(row.text, voice=row.voice or None, language=row.language)
    except Exception as error:
        _postpone(row, error, retry_s(row.attempts + 1))
        if row.attempts + 1 >= MAX_ATTEMPTS:
            Speech.objects.filter(pk=key, status=Speech.Status.WAITING).update(status=Speech.Status.FAILED)
        raise
    speech.store(
        row,
        samples=result.samples,
        sample_rate_hz=result.sample_rate_hz,
        engine=result.engine,
        engine_voice=result.voice,
        is_last_resort=result.is_last_resort,
    )


def sweep() -> None:
    """Queue again whatever waits in PostgreSQL while no live job works on it. Runs every few seconds."""
    now = timezone.now()
    waiting = Transcript.objects.filter(status=Transcript.Status.WAITING, retry_at__lte=now)
    sealed = Recording.objects.filter(status=Recording.Status.SEALED, retry_at__lte=now)
    unspoken = Speech.objects.filter(status=Speech.Status.WAITING, retry_at__lte=now)
    _queue_again(
        waiting.order_by("retry_at").values_list("recording_id", flat=True),
        recordings.transcription_job_id,
        recordings.queue_transcription,
    )
    _queue_again(
        sealed.order_by("retry_at").values_list("pk", flat=True),
        recordings.storing_job_id,
        recordings.queue_storing,
    )
    _queue_again(
        unspoken.order_by("retry_at").values_list("pk", flat=True),
        speech.rendering_job_id,
        speech.queue_rendering,
    )


def _queue_again(ids: QuerySet, job_id_of: Callable, queue: Callable) -> None:
    due = list(ids[:SWEEP_AT_MOST])
    alive = pending([job_id_of(row_id) for row_id in due], hot_audio.sync_client())
    for row_id in due:
        if job_id_of(row_id) not in alive:
            queue(row_id)
