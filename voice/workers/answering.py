"""Answer calls (`voice.queues.calls`): the work of a worker for a caller who waits."""

import functools
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final, cast

from django.conf import settings

from voice import metrics
from voice.audio import decoding, processing, resampling
from voice.audio.encoding import Container, Encoder
from voice.audio.pcm import SAMPLE_BYTES, s16le_from_samples, samples_from_s16le
from voice.errors import VoiceError
from voice.inference import recognizer, synthesizer
from voice.inference.recognizer import OnSegments
from voice.inference.synthesizer import SynthesisStream
from voice.queues import answers
from voice.queues.answers import ClaimedCall, Forgotten
from voice.service.requests import SPEECH_RATE_HZ, ConversionRequest, SpeechRequest, TranscriptionRequest
from voice.speech import cache
from voice.text.transcripts import recognition_fields, segment_fields
from voice.types import RECOGNITION_RATE_HZ, Recognition, Samples, Segment
from voice.workers import slot

if TYPE_CHECKING:
    from voice.engines.base import DiarizationEngine

CONVERTED_AT_ONCE_BYTES: Final = 1024**2


def synthesize(call: ClaimedCall) -> None:
    """Send speech as it is synthesised, one part a sentence, and cache the whole for the same request."""
    request = SpeechRequest(**call.request["speech"])
    if cached := cache.peek(request.key):  # cached while this request was being made
        call.send({"duration_ms": cached.meta["duration_ms"]}, cached.body)
        call.finish(cached.meta)
        return
    stream = synthesizer.synthesizer().stream(
        request.text,
        voice=request.voice or None,
        language=request.language,
        speed=request.speed,
        emotion=request.emotion or None,
    )
    with closing(stream):  # a caller who leaves stops the engine too
        _send_speech(call, request, stream)


def _send_speech(call: ClaimedCall, request: SpeechRequest, stream: SynthesisStream) -> None:
    encoder, bodies, duration_ms = Encoder(cast(Container, request.format), SPEECH_RATE_HZ), [], 0
    resampler: resampling.Resampler | None = None
    for chunk in stream:
        resampler = resampler or resampling.Resampler(chunk.sample_rate_hz, SPEECH_RATE_HZ)
        body = encoder.feed(s16le_from_samples(resampler.feed(chunk.samples)))
        duration_ms += round(1000 * chunk.duration_s)
        bodies.append(body)
        call.send({"duration_ms": round(1000 * chunk.duration_s), "voice": stream.voice}, body)
        slot.allow(call.age_s())  # a call is stuck if no more audio comes, however long the text
    assert resampler is not None  # a stream without a chunk raises
    bodies.append(encoder.feed(s16le_from_samples(resampler.finish())) + encoder.finish())
    call.send({"duration_ms": 0}, bodies[-1])
    result = {
        "duration_ms": duration_ms,
        "engine": stream.engine,
        "voice": stream.voice,
        "is_last_resort": stream.is_last_resort,
    }
    if not stream.is_stand_in:  # the next request may get the engine that it wants
        cache.put(request.key, cache.CachedSpeech(b"".join(bodies), result))
    call.finish(result)


def transcribe(call: ClaimedCall) -> None:
    """Send segments as they are transcribed, then the whole transcript."""
    request = TranscriptionRequest(**call.request["transcription"])
    samples = _samples(call)
    call.check()
    started = time.monotonic()

    def tell(segments: tuple[Segment, ...]) -> None:
        if segments:
            call.send({"segments": [segment_fields(segment) for segment in segments]})
        else:
            call.check()

    result = recognised(samples, request, on_segments=tell)
    engine_ms = round(1000 * (time.monotonic() - started))
    speakers: Sequence[str | None] | None = None
    if request.is_diarized:
        call.check()
        result, speakers = with_speakers(samples, result)
    call.finish(recognition_fields(result, speakers=speakers) | {"engine_ms": engine_ms})


def convert(call: ClaimedCall) -> None:
    """Send the converted file; the result describes the original."""
    request = ConversionRequest(**call.request["conversion"])
    source = asdict(processing.describe(call.audio))
    samples = decoded(call.audio, rate_hz=request.sample_rate)
    slot.allow(len(samples) / request.sample_rate)
    options = processing.Processing(request.loudness_dbfs, request.is_compressed, request.is_trimmed)
    pcm = s16le_from_samples(processing.process(samples, request.sample_rate, options))
    encoder = Encoder(cast(Container, request.format), request.sample_rate)
    for start in range(0, len(pcm), CONVERTED_AT_ONCE_BYTES):
        call.send({}, encoder.feed(pcm[start : start + CONVERTED_AT_ONCE_BYTES]))
    call.send({}, encoder.finish())
    seconds = len(pcm) / SAMPLE_BYTES / request.sample_rate
    call.finish({"source": source, "duration_ms": round(1000 * seconds)})


_HANDLERS: Final = {"speak": synthesize, "hear": transcribe, "convert": convert}


def answer(call: ClaimedCall) -> None:
    """Carry out the call, and send an error if that fails."""
    kind, outcome = call.request["kind"], "ok"
    metrics.CALL_WAIT_SECONDS.labels(kind=kind).observe(call.age_s())
    try:
        _HANDLERS[kind](call)
    except Forgotten:
        outcome = "forgotten"
    except VoiceError as error:
        outcome = error.code
        with suppress(Forgotten):
            call.fail(error.code, str(error), field=getattr(error, "field", ""))
    except Exception:
        outcome = "internal_error"
        with suppress(Forgotten):
            call.fail(outcome, "Something failed on our side; ask again.")
        raise
    finally:
        metrics.CALLS.labels(kind=kind, outcome=outcome).inc()
        metrics.CALL_SECONDS.labels(kind=kind).observe(call.age_s())


def decoded(file: bytes, *, rate_hz: int = RECOGNITION_RATE_HZ) -> Samples:
    """Return float32[n_samples], mono, of an uploaded file.

    Raises:
        AudioRejected: no readable audio, too large, or too long.
    """
    limits = settings.VOICE
    limit_bytes = limits["MAX_UPLOAD_MB"] * 1024**2
    return decoding.decode(file, rate_hz=rate_hz, limit_bytes=limit_bytes, limit_s=limits["MAX_AUDIO_S"])


def recognised(
    samples: Samples,
    request: TranscriptionRequest,
    on_segments: OnSegments | None = None,
) -> Recognition:
    """Transcribe audio, however long it takes; see `Recognizer.recognize`."""
    slot.allow(len(samples) / RECOGNITION_RATE_HZ)
    task = {"is_translated": True} if request.is_translated else {}
    return recognizer.recognizer().recognize(
        samples,
        language=request.language or None,
        hot_words=request.hot_words or None,
        is_partial=request.is_partial,
        on_segments=on_segments,
        **task,
    )


def with_speakers(samples: Samples, result: Recognition) -> tuple[Recognition, list[str | None]]:
    """Return the result cut where the speaker changes, and each segment's speaker, None if unknown.

    Raises:
        EngineUnavailable: no models for it are configured, or the library is missing.
    """
    from voice.inference.speakers import assign_speakers, speaker_name

    said = assign_speakers(result.segments, _diarizer().turns(samples))
    names = [speaker_name(each.speaker) for each in said]
    return replace(result, segments=tuple(each.segment for each in said)), names


@functools.cache
def _diarizer() -> "DiarizationEngine":
    """The one of this process: its models are loaded once."""
    from voice.engines import registry

    return registry.diarizer(registry.EngineConfig.from_settings(settings.VOICE))


def _samples(call: ClaimedCall) -> Samples:
    return samples_from_s16le(call.audio) if call.request["is_pcm"] else decoded(call.audio)


def answer_call(call_id: str) -> None:
    """Carry out a call (`voice.queues.calls`), and send an error if that fails."""
    if call := answers.claim(call_id):
        answer(call)
