"""What workers run. A job gets an id, reads the row, and accepts that the row is gone or already done.

PostgreSQL knows what waits. A job that fails leaves the row waiting with a later `retry_at`, and `sweep`
queues it again; so does a job whose worker died, or a queue that was lost. Queues are only hints.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

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
ENGINE_RETRY_S = 60
"""With no engine for the language there is no hurry; the recording waits as long as it takes."""


def retry_at(attempts: int, now: datetime) -> datetime:
    """Exponential back-off: 1, 2, 4, 8, 10, 10 … seconds."""
    return now + timedelta(seconds=min(RETRY_FIRST_S * RETRY_FACTOR ** max(attempts - 1, 0), RETRY_LONGEST_S))


def transcribe(recording_id: str) -> None:
    """Recognise a sealed recording and keep the transcript, once."""
    from voice import audio, recognition  # engines belong to the processes that recognise

    transcript = _claim_transcript(recording_id)
    if transcript is None:
        return
    try:
        samples = audio.samples_from_s16le(recordings.read_pcm(transcript.recording))
        started = time.monotonic()
        result = recognition.recognizer().recognize(samples, language=transcript.recording.language or None)
        engine_ms = round(1000 * (time.monotonic() - started))
    except (VoiceError, OSError) as error:
        _postpone_transcript(transcript, error)
        raise
    _finish_transcript(transcript, result, engine_ms)


def _claim_transcript(recording_id: str) -> Transcript | None:
    """The waiting transcript, with one more attempt counted; None when there is nothing to do."""
    row = Transcript.objects.select_related("recording").filter(recording_id=recording_id).first()
    if row is None or row.status != Transcript.Status.WAITING:
        return None
    if row.attempts >= MAX_ATTEMPTS:  # the last attempt ended without a word: its worker died or hung
        _give_up(row, row.last_error or "The recogniser was ended each time it worked on this recording.")
        return None
    Transcript.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    row.attempts += 1
    return row


def _give_up(row: Transcript, error: str) -> None:
    waiting = Transcript.objects.filter(pk=row.pk, status=Transcript.Status.WAITING)
    changes = {"status": Transcript.Status.FAILED, "last_error": error[:500], "finished_at": timezone.now()}
    if waiting.update(**changes):
        row.refresh_from_db()
        signals.transcript_finished.send(Transcript, transcript=row)


def _postpone_transcript(row: Transcript, error: Exception) -> None:
    now = timezone.now()
    waiting = Transcript.objects.filter(pk=row.pk, status=Transcript.Status.WAITING)
    if isinstance(error, AudioRejected):
        _give_up(row, str(error))
    elif isinstance(error, (EngineUnavailable, recordings.AudioMissing)):
        later = now + timedelta(seconds=ENGINE_RETRY_S)
        waiting.update(attempts=F("attempts") - 1, last_error=str(error)[:500], retry_at=later)
    else:
        waiting.update(last_error=str(error)[:500], retry_at=retry_at(row.attempts, now))


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
    if recording is not None:
        recordings.store(recording, now=timezone.now())


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
    except VoiceError as error:
        _postpone_speech(row, error)
        raise
    speech.store(
        row,
        samples=result.samples,
        sample_rate_hz=result.sample_rate_hz,
        engine=result.engine,
        engine_voice=result.voice,
        is_last_resort=result.is_last_resort,
    )


def _postpone_speech(row: Speech, error: VoiceError) -> None:
    attempts = row.attempts + 1
    is_over = attempts >= MAX_ATTEMPTS
    Speech.objects.filter(pk=row.key).exclude(status=Speech.Status.READY).update(
        status=Speech.Status.FAILED if is_over else Speech.Status.WAITING,
        last_error=str(error)[:500],
        retry_at=retry_at(attempts, timezone.now()),
    )


def sweep() -> None:
    """Queue again whatever waits in PostgreSQL while no live job works on it. Runs every few seconds."""
    now = timezone.now()
    waiting = Transcript.objects.filter(status=Transcript.Status.WAITING, retry_at__lte=now)
    sealed = Recording.objects.filter(status=Recording.Status.SEALED)
    unspoken = Speech.objects.filter(status=Speech.Status.WAITING, retry_at__lte=now)
    _queue_again(
        waiting.order_by("retry_at").values_list("recording_id", flat=True),
        recordings.transcription_job_id,
        recordings.queue_transcription,
    )
    _queue_again(
        sealed.order_by("sealed_at").values_list("pk", flat=True),
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
