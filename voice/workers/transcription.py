"""Jobs of workers that transcribe. A job gets an id, reads the row, and handles "gone" and "already done".

PostgreSQL holds what waits. A job that fails leaves the row waiting with a later `retry_at`, and `sweep`
queues it again; it does the same if a worker died or a queue was lost. Queues are only hints.
"""

import contextlib
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import redis
from django.db.models import F
from django.utils import timezone

from voice import errors, metrics, signals
from voice.audio.decoding import Tally
from voice.audio.pcm import samples_from_s16le
from voice.encryption import keys
from voice.errors import AudioRejected, EngineUnavailable, LanguageUnsupported, ModelMissing, VoiceError
from voice.models import Batch, BatchFile, Recording, Transcript, TranscriptVersion
from voice.queues.answers import Forgotten
from voice.recordings import buffer, kept, storage
from voice.service import batches
from voice.service.requests import TranscriptionRequest
from voice.text.transcripts import stored_segment
from voice.types import RECOGNITION_RATE_HZ, EngineModel, Recognition, Segment
from voice.workers import handing_on, slot, unheard
from voice.workers.attempts import (
    ENGINE_RETRY_S,
    MAX_ATTEMPTS,
    STORE_RETRY_S,
    WAITING,
    Row,
    end,
    give_up,
    postpone,
    retry_s,
    take_back_drained,
)

if TYPE_CHECKING:
    from voice.workers.windowed import Sound

Audio = TypeVar("Audio")
OnSegments = Callable[[tuple[Segment, ...]], None]
LOOK_EVERY_S = 1.0
"""How often a job looks whether its row still waits, between two windows."""


def transcribe(recording_id: str) -> None:
    """Transcribe a sealed recording and store the transcript, once."""
    row = Transcript.objects.select_related("recording").filter(recording_id=recording_id).first()
    if row:
        _recognise_once(
            row,
            read=lambda: _sound_of(row.recording),
            recognise=lambda sound: _recognise_sound(row.recording, sound, _while_wanted(row)),
            finished=_tell_of_transcript,
            unheard=unheard.set_aside,
        )


def transcribe_again(recording_id: str) -> None:
    """Make the version of a transcript that waits, with the engine and the model that it names, once."""
    waiting = TranscriptVersion.objects.filter(recording_id=recording_id, status=WAITING)
    row = waiting.select_related("recording").first()
    if row:
        _recognise_once(
            row,
            read=lambda: _stored_pcm(row.recording),
            recognise=lambda pcm: _recognise_again(row, pcm, _while_wanted(row)),
            finished=_tell_of_version,
            unheard=lambda row, reason: give_up(row, reason, _tell_of_version),
        )


def transcribe_file(file_id: str) -> None:
    """Transcribe a file of a batch and store the transcript, once; the upload is deleted."""
    row = BatchFile.objects.select_related("batch").filter(pk=file_id).first()
    if row:
        _recognise_once(
            row,
            read=lambda: batches.read(row),
            recognise=lambda file: _recognise_file(file, row.batch, _while_wanted(row)),
            finished=batches.delete_upload,
            unheard=lambda row, reason: give_up(row, reason, batches.delete_upload),
        )


def _recognise_once(
    row: Row,
    *,
    read: Callable[[], Audio],
    recognise: Callable[[Audio], dict[str, Any]],
    finished: Callable[[Row], None],
    unheard: Callable[[Row, str], None],
) -> None:
    """Transcribe the audio of `row`, unless that is done; the job that finishes the row calls `finished`.

    recognise: returns the transcript as fields of the row.
    unheard: called with the reason where no engine knows the language.
    """
    if row.status != WAITING:
        return
    take_back_drained(row)
    if row.attempts >= MAX_ATTEMPTS:  # the last attempt left no error: its worker died or hung
        give_up(row, row.last_error or "The recogniser was ended each time it worked on this.", finished)
        return
    audio = _audio_of(row, read, finished)
    if audio is not None:
        type(row).objects.filter(pk=row.pk).update(attempts=F("attempts") + 1)
        _attempt(row, partial(recognise, audio), finished, unheard)


def _attempt(
    row: Row,
    recognise: Callable[[], dict[str, Any]],
    finished: Callable[[Row], None],
    unheard: Callable[[Row, str], None],
) -> None:
    rows = type(row).objects.filter(pk=row.pk)
    try:
        recognition = recognise()
    except Forgotten:
        return
    except AudioRejected as error:
        give_up(row, str(error), finished)
        raise
    except EngineUnavailable as error:
        rows.update(attempts=F("attempts") - 1)
        _leave_to_others(row, error, unheard)
    except Exception as error:
        postpone(row, error, retry_s(row.attempts + 1))
        raise
    else:
        end(row, finished, status=row.Status.DONE, last_error="", **recognition)


def _leave_to_others(row: Row, error: EngineUnavailable, unheard: Callable[[Row, str], None]) -> None:
    """Let another pool try it at once, else this one later; set aside a language that no engine knows."""
    if handing_on.hand_on():
        postpone(row, error, STORE_RETRY_S)  # for the sweeper, should that job be lost
    elif isinstance(error, (LanguageUnsupported, ModelMissing)):
        unheard(row, str(error))
    else:
        postpone(row, error, ENGINE_RETRY_S)
        raise error


def _audio_of(row: Row, read: Callable[[], Audio], finished: Callable[[Row], None]) -> Audio | None:
    """Read the audio; None if it was discarded in the meantime. Raises what kept it from being read."""
    try:
        return read()
    except (errors.UploadGone, errors.KeyDestroyed) as error:
        give_up(row, str(error), finished)
        raise
    except Exception as error:  # a store failed, not the recording: this is not an attempt
        if postpone(row, error, STORE_RETRY_S):
            raise
        return None


def _while_wanted(row: Row) -> OnSegments:
    """Return a function that raises `Forgotten` once the row is deleted or finished by another job."""
    wanted, looked_at = type(row).objects.filter(pk=row.pk, status=WAITING), time.monotonic()

    def look(segments: tuple[Segment, ...]) -> None:
        nonlocal looked_at
        if time.monotonic() - looked_at < LOOK_EVERY_S:
            return
        looked_at = time.monotonic()
        if not wanted.exists():
            raise Forgotten(row.pk)

    return look


def _sound_of(recording: Recording) -> "Sound | bytes":
    """Read what is left to be recognised; the whole PCM where the engine takes no windows."""
    from voice.workers import windowed  # only the processes that transcribe import engines

    if recording.data_key is not None:
        keys.of(recording.data_key)  # the text needs it; a store that is away now is waited for
    task = windowed.Task.of(recording)
    if task is None:
        return storage.read_pcm(recording)
    return windowed.opened(task, partial(storage.read_pcm, recording))


def _recognise_sound(recording: Recording, sound: "Sound | bytes", on_segments: OnSegments) -> dict[str, Any]:
    started = time.monotonic()
    return _fields(_transcribed(recording, sound, on_segments), started)


def _fields(result: Recognition, started: float) -> dict[str, Any]:
    """Return the fields of a row. started: when the engine began, by the monotonic clock."""
    engine_ms = round(1000 * (time.monotonic() - started))
    segments = [stored_segment(segment) for segment in result.segments]
    return _heard(result) | {"segments": segments, "confidence": result.confidence, "engine_ms": engine_ms}


def _stored_pcm(recording: Recording) -> bytes:
    """Read a stored recording. Raises UploadGone: its file is gone, so there is nothing to wait for."""
    try:
        return storage.read_pcm(recording)
    except (FileNotFoundError, errors.AudioMissing, errors.KeyDestroyed):
        raise errors.UploadGone("The recording is gone.") from None


def _recognise_again(row: TranscriptVersion, pcm: bytes, on_segments: OnSegments) -> dict[str, Any]:
    from voice.inference import recognizer

    samples = samples_from_s16le(pcm)
    slot.allow(len(samples) / RECOGNITION_RATE_HZ)
    started = time.monotonic()
    try:
        result = recognizer.recognizer().recognize(
            samples,
            language=row.recording.language or None,
            hot_words=row.recording.hot_words or None,
            on_segments=on_segments,
            only=EngineModel(row.wanted_engine, row.wanted_model),
        )
    except (LanguageUnsupported, ModelMissing):
        raise
    except EngineUnavailable as error:  # a person waits for it, so that the tries have an end
        raise VoiceError(str(error)) from None
    return _fields(result, started)


def _transcribed(recording: Recording, sound: "Sound | bytes", on_segments: OnSegments) -> Recognition:
    """Recognise it by windows; if their engine fails, or is replaced meanwhile, as a whole."""
    from voice.workers import answering, windowed

    if not isinstance(sound, bytes):
        try:
            return windowed.transcribed(sound, on_segments)
        except (EngineUnavailable, windowed.EngineChanged):
            sound = storage.read_pcm(recording)
    request = TranscriptionRequest(language=recording.language, hot_words=recording.hot_words)
    return answering.recognised(samples_from_s16le(sound), request, on_segments)


def _recognise_file(file: bytes, batch: Batch, on_segments: OnSegments) -> dict[str, Any]:
    from voice.workers import answering, uploads

    request = TranscriptionRequest(
        language=batch.language, hot_words=batch.hot_words, is_diarized=batch.is_diarized
    )
    tally = Tally()
    samples = uploads.decoded(file, tally)
    result = answering.recognised(samples, request, on_segments)
    if not batch.is_diarized:
        segments = [stored_segment(segment) for segment in result.segments]
    else:
        result, speakers = answering.with_speakers(samples, result)
        named = zip(result.segments, speakers, strict=True)
        segments = [stored_segment(segment) | {"speaker": speaker} for segment, speaker in named]
    counts = {"duration_s": result.duration_s, "skipped_frames": tally.skipped_frames}
    return _heard(result) | {"segments": segments, **counts}


def _heard(result: Recognition) -> dict[str, Any]:
    return {
        "text": result.text,
        "language": result.language or "",
        "language_probability": result.language_probability,
        "engine": result.engine,
        "model": result.model,
    }


def _tell_of_transcript(row: Transcript) -> None:
    with contextlib.suppress(redis.RedisError):  # it expires by itself later
        kept.erase(row.recording_id)
    now = timezone.now()
    metrics.transcript_ended(row.status, sealed_at=row.recording.sealed_at or now, now=now)
    signals.transcript_finished.send(Transcript, transcript=row)


def _tell_of_version(row: TranscriptVersion) -> None:
    signals.version_finished.send(TranscriptVersion, version=row)


def recognise_on_the_way(recording_id: str) -> None:
    """Recognise what is complete of a recording that still grows, so that little is left at its end.

    Best effort: what it finds is kept in Redis for an hour at most (`voice.recordings.kept`).
    """
    from voice.workers import windowed

    recording = Recording.objects.filter(pk=recording_id, status=Recording.Status.OPEN).first()
    if recording is not None:
        with contextlib.suppress(Forgotten, VoiceError, windowed.EngineChanged):
            windowed.recognise_on_the_way(recording)


def recognise_partial(
    recording_id: str, start: int, end: int, language: str, reply_to: str, hot_words: str = ""
) -> None:
    """Transcribe bytes [start, end) of a growing recording and send the caption to its connection.

    Best effort: nothing is stored or retried.
    """
    from voice.inference import recognizer
    from voice.infra import channel_layer

    pcm = buffer.read(recording_id, start, end)
    if len(pcm) < end - start:
        return  # too late: it was stored, or discarded
    samples = samples_from_s16le(pcm)
    result = recognizer.recognizer().recognize(
        samples, language=language or None, hot_words=hot_words or None, is_partial=True
    )
    channel_layer.send(reply_to, {"type": "voice.partial", "start": start, "end": end, "text": result.text})
