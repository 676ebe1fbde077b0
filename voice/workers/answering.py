"""Answer calls (`voice.queues.calls`): the work of a worker for a caller who waits."""

import functools
import io
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from django.conf import settings

from voice import metrics
from voice.audio import resampling
from voice.audio.decoding import Tally
from voice.audio.encoding import Container, Encoder
from voice.audio.pcm import s16le_from_samples, samples_from_s16le
from voice.errors import EngineUnavailable, VoiceError
from voice.inference import recognizer, synthesizer
from voice.inference.recognizer import OnSegments
from voice.inference.synthesizer import SynthesisStream
from voice.queues import answers
from voice.queues.answers import ClaimedCall, Forgotten
from voice.service.requests import SPEECH_RATE_HZ, SpeechRequest, TranscriptionRequest
from voice.speech import cache, cloning
from voice.text.transcripts import recognition_fields, segment_fields
from voice.types import RECOGNITION_RATE_HZ, Recognition, Samples, Segment, Span, SpeechChunk, Window
from voice.workers import conversion, handing_on, slot
from voice.workers.uploads import decoded

if TYPE_CHECKING:
    from voice.engines.base import DiarizationEngine

WINDOW_SAMPLES: Final = 30 * RECOGNITION_RATE_HZ
"""The longest sound that is recognised in one go."""


def synthesize(call: ClaimedCall) -> None:
    """Send speech as it is synthesised, one part a sentence, and cache the whole for the same request."""
    request = SpeechRequest(**call.request["speech"])
    if cached := cache.peek(call.request.get("cache_key", "")):  # cached while this request was being made
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
    file = _SpeechFile(cast(Container, request.format), is_streamed=not call.request.get("is_whole"))
    duration_ms = 0
    for chunk in stream:
        duration_ms += round(1000 * chunk.duration_s)
        about = {"duration_ms": round(1000 * chunk.duration_s), "voice": stream.voice}
        call.send(about, file.add(chunk))
        slot.allow(call.age_s())  # a call is stuck if no more audio comes, however long the text
    call.send({"duration_ms": 0}, file.finish())
    result = {
        "duration_ms": duration_ms,
        "engine": stream.engine,
        "voice": stream.voice,
        "is_last_resort": stream.is_last_resort,
    }
    cache_key = call.request.get("cache_key", "")  # none in a call of an earlier release
    # After a stand-in the next request may get the engine that it wants; an erased voice leaves nothing.
    if cache_key and not stream.is_stand_in and cloning.exists(stream.voice):
        cache.put(cache_key, cache.CachedSpeech(file.whole(), result))
    call.finish(result)


class _SpeechFile:
    """Synthesised speech in one format: as a stream for whoever waits, and as a complete file.

    A stream's header leaves the length open, so a player can't jump in it; only the complete file is kept.
    """

    def __init__(self, container: Container, *, is_streamed: bool) -> None:
        self._file = io.BytesIO()
        self._encoders = [Encoder(container, SPEECH_RATE_HZ, file=self._file)]
        self._is_streamed = is_streamed
        if is_streamed:
            self._encoders.append(Encoder(container, SPEECH_RATE_HZ))
        self._resampler: resampling.Resampler | None = None

    def add(self, chunk: SpeechChunk) -> bytes:
        """Return the next bytes of the stream."""
        self._resampler = self._resampler or resampling.Resampler(chunk.sample_rate_hz, SPEECH_RATE_HZ)
        return self._encoded(self._resampler.feed(chunk.samples))

    def finish(self) -> bytes:
        """Return the last bytes of the stream; the complete file if it is not streamed."""
        assert self._resampler is not None, "a stream without a chunk raises"
        last = self._encoded(self._resampler.finish())
        last += b"".join([encoder.finish() for encoder in self._encoders])
        return last if self._is_streamed else self.whole()

    def whole(self) -> bytes:
        """Return the complete file, after `finish`."""
        return self._file.getvalue()

    def _encoded(self, samples: Samples) -> bytes:
        pcm = s16le_from_samples(samples)
        return b"".join([encoder.feed(pcm) for encoder in self._encoders])


def transcribe(call: ClaimedCall) -> None:
    """Send segments as they are transcribed, then the whole transcript."""
    request = TranscriptionRequest(**call.request["transcription"])
    tally = Tally()
    samples = _samples(call, tally)
    call.check_wanted()
    started = time.monotonic()

    def tell(segments: tuple[Segment, ...]) -> None:
        if segments:
            call.send({"segments": [segment_fields(segment) for segment in segments]})
        else:
            call.check_wanted()

    is_utterance = call.request.get("is_utterance", False)  # not in a call of an earlier release
    result = recognised(samples, request, on_segments=tell, is_utterance=is_utterance)
    engine_ms = round(1000 * (time.monotonic() - started))
    speakers: Sequence[str | None] | None = None
    if request.is_diarized:
        call.check_wanted()
        result, speakers = with_speakers(samples, result)
    counts = {"engine_ms": engine_ms, "skipped_frames": tally.skipped_frames}
    call.finish(recognition_fields(result, speakers=speakers) | counts)


_HANDLERS: Final = {"speak": synthesize, "hear": transcribe, "convert": conversion.convert}


def answer(call: ClaimedCall) -> None:
    """Carry out the call, and send an error if that fails."""
    kind, outcome = call.request["kind"], "ok"
    metrics.CALL_WAIT_SECONDS.labels(kind=kind).observe(call.age_s())
    try:
        _HANDLERS[kind](call)
    except Forgotten:
        outcome = "forgotten"
    except VoiceError as error:
        outcome = "handed_on" if _handed_on(call, error) else error.code
        if outcome == error.code:
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


def _handed_on(call: ClaimedCall, error: VoiceError) -> bool:
    """Whether another pool answers instead: this one has no engine for it, and nothing has been sent."""
    is_ours = isinstance(error, EngineUnavailable) and not call.has_begun
    return is_ours and handing_on.hand_on() and call.release()


def recognised(
    samples: Samples,
    request: TranscriptionRequest,
    on_segments: OnSegments | None = None,
    *,
    is_utterance: bool = False,
) -> Recognition:
    """Transcribe audio, however long it takes; see `Recognizer.recognize`.

    is_utterance: it is speech throughout; an engine that takes windows gets it as one.
    """
    slot.allow(len(samples) / RECOGNITION_RATE_HZ)
    task: dict[str, Any] = {"is_translated": True} if request.is_translated else {}
    recognise = functools.partial(
        recognizer.recognizer().recognize,
        samples,
        language=request.language or None,
        hot_words=request.hot_words or None,
        is_partial=request.is_partial,
        on_segments=on_segments,
        **task,
    )
    if is_utterance and 0 < len(samples) <= WINDOW_SAMPLES and _takes_windows(request):
        with suppress(EngineUnavailable):  # another engine may hear it
            return recognise(windows=[Window((Span(0, len(samples)),))])
    return recognise()


def _takes_windows(request: TranscriptionRequest) -> bool:
    return recognizer.recognizer().window_engine(request.language or None) is not None


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


def _samples(call: ClaimedCall, tally: Tally) -> Samples:
    return samples_from_s16le(call.audio) if call.request["is_pcm"] else decoded(call.audio, tally)


def answer_call(call_id: str) -> None:
    """Carry out a call (`voice.queues.calls`), and send an error if that fails."""
    if call := answers.claim(call_id):
        answer(call)
