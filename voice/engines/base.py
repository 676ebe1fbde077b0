"""What a recognition or a synthesis engine is: protocols, results and errors.

An engine is made cheaply, loaded once (`load()`), then called from several threads at once.

    engine = FasterWhisper("base", slots=2)
    engine.load()                                     # EngineUnavailable says what to do
    recognition = engine.recognize(samples, language="en")
    recognition.text, recognition.confidence, recognition.words

Audio is always `float32[n_samples]`, mono, -1..1; recognition takes 16 000 Hz, a synthesised chunk names its
rate. Languages are BCP 47 tags in any usual spelling ("de", "de-DE", "de_DE"); `primary_language` reduces
them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

RECOGNITION_RATE_HZ = 16_000

# Decoders of lossy formats overshoot full scale a little (inter-sample peaks of MP3 and Opus reach +3 dB);
# twice full scale is not audio but integers passed off as floats.
PEAK_LIMIT = 2.0


class VoiceError(Exception):
    """A speech operation that did not succeed; the message tells people what to do, `code` tells programs."""

    code = "voice_error"


class EngineUnavailable(VoiceError):
    """The engine cannot work here and now: a model, a library or a device is missing."""

    code = "engine_unavailable"


class VoiceUnavailable(EngineUnavailable):
    """The engine works, but the chosen voice cannot be loaded: its others may be fine."""


class TransientFailure(EngineUnavailable):
    """The engine failed in a way that passes: a broken connection, a timeout, a vendor that is overloaded."""


class LanguageUnsupported(EngineUnavailable):
    """The engine works, but not in this language: ask another engine."""

    code = "language_unsupported"


class AudioRejected(VoiceError):
    """The audio cannot be used as it is: asking again with the same bytes fails again."""

    code = "audio_rejected"


class SynthesisFailed(VoiceError):
    """The engine was ready but made no speech of this text."""

    code = "text_rejected"


class RequestRefused(VoiceError):
    """A value that nobody could act on; the message names the field and the limit."""

    code = "bad_value"

    def __init__(self, field: str, detail: str, *, code: str = "bad_value") -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.code = code


class Busy(VoiceError):
    """There is more to do than can be done in time; ask again after `retry_after_s` seconds."""

    code = "busy"

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word.  Times in seconds from the first sample; confidence 0..1."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech, usually a sentence.

    `avg_logprob` is the mean natural-log probability of the tokens (<= 0); `no_speech_prob` 0..1.
    `words` may be empty for partial results.
    """

    text: str
    start_s: float
    end_s: float
    avg_logprob: float
    no_speech_prob: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was heard.  Silence gives an empty text and no segments."""

    text: str
    language: str
    language_probability: float
    duration_s: float
    segments: tuple[Segment, ...]
    engine: str
    model: str

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all segments in order."""
        return tuple(word for segment in self.segments for word in segment.words)

    @property
    def confidence(self) -> float:
        """0..1: mean of the words' confidences, else exp of the segments' avg_logprob by duration, else 0."""
        if words := self.words:
            return sum(word.confidence for word in words) / len(words)
        weights = [max(segment.end_s - segment.start_s, 0.01) for segment in self.segments]
        if not weights:
            return 0.0
        weighted = sum(w * segment.avg_logprob for w, segment in zip(weights, self.segments, strict=True))
        return min(1.0, math.exp(weighted / sum(weights)))


Quality = Literal["neural", "cloned", "cloud", "last_resort"]


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice to choose.  `id` is "<engine>:<name>", as "piper:en_US-lessac-medium" or "espeak:en-us".

    What follows the name chooses within a voice or mixes it: "piper:en_US-libritts-high#p3922" is one of its
    `speakers`, "kokoro:af_heart:0.7+af_bella:0.3" a blend that begins with "kokoro:af_heart".
    """

    id: str
    language: str
    name: str
    engine: str
    quality: Quality
    sample_rate_hz: int
    speakers: tuple[str, ...] = ()
    """Who is to be heard in a voice of several people; empty for a voice of one."""


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """The speech of one sentence: `samples` float32[n_samples] mono -1..1 at `sample_rate_hz`.

    A vendor's speech comes in smaller pieces: the first has the text of them all, the others have none.
    """

    samples: Samples
    sample_rate_hz: int
    text: str

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


@runtime_checkable
class RecognitionEngine(Protocol):
    """Speech to text.  All methods may be called from several threads at once."""

    name: str
    model: str
    device: str

    def load(self) -> None:
        """Load the model; further calls return at once.

        Raises:
            EngineUnavailable: the model, its library or its device is missing; the message says what to do.
        """

    def supports(self, language: str | None) -> bool:
        """Whether `recognize` accepts this language; None asks whether the engine detects it itself."""

    def recognize(
        self,
        samples: Samples,
        *,
        language: str | None,
        hot_words: str | None = None,
        is_partial: bool = False,
        on_segments: Callable[[tuple[Segment, ...]], None] | None = None,
    ) -> Recognition:
        """Recognise `samples` (float32[n_samples], mono, 16 000 Hz).

        language: None detects it, where the engine can.
        hot_words: names and terms that are likely to be said; an engine may ignore them.
        is_partial: a caption that will be replaced soon: faster, without word times.
        on_segments: called with segments as soon as they are final; an engine that knows none before the end
        may leave it uncalled.

        Raises:
            AudioRejected: not one-dimensional, not finite or far out of range.
            LanguageUnsupported: see `supports`.
            EngineUnavailable: the model is not loaded and cannot be, or the device failed.
        """


@runtime_checkable
class SynthesisEngine(Protocol):
    """Text to speech.  All methods may be called from several threads at once."""

    name: str
    model: str
    device: str

    def load(self) -> None:
        """Make ready; further calls return at once.  Voices may be loaded later, when first used.

        Raises:
            EngineUnavailable: no voice, library or device; the message says what to do.
        """

    def voices(self) -> tuple[Voice, ...]:
        """The voices that can be chosen; empty when the engine is unavailable."""

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Iterator[SpeechChunk]:
        """Speak `text`, one chunk a sentence, each computed when it is asked for.

        voice: an id of `voices()`; None, or an id of another engine, picks a voice for `language`.
        speed: 1.0 is the voice's own pace, 2.0 twice as fast; 0.5..2.0.
        emotion: a word such as "cheerful"; an engine may ignore it.

        Raises (at the call or while iterating):
            LanguageUnsupported: no voice for this language.
            EngineUnavailable: no voice at all.
            VoiceUnavailable: the chosen voice cannot be loaded.
            SynthesisFailed: nothing to say, or the model failed on this text.
        """


def primary_language(tag: str) -> str:
    """The language without region or script, lower case: "de_DE", "de-DE" and "DE" give "de"."""
    return tag.replace("_", "-").split("-", 1)[0].strip().lower()


def canonical_tag(tag: str) -> str:
    """A tag for comparison: "de_DE" and "de-de" give "de-de"."""
    return tag.replace("_", "-").strip().lower()


def checked_samples(samples: Samples) -> Samples:
    """`samples` as contiguous float32[n_samples] clipped to -1..1.

    Raises:
        AudioRejected: not one-dimensional floats, not finite, or beyond twice full scale.
    """
    if not isinstance(samples, np.ndarray) or samples.ndim != 1 or samples.dtype.kind != "f":
        raise AudioRejected("Pass mono audio as a one-dimensional array of floats between -1 and 1.")
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    if not len(samples):
        return samples
    peak = float(np.abs(samples).max())
    if not math.isfinite(peak):
        raise AudioRejected("The audio holds NaN or infinity; decode it again from its source.")
    if peak > PEAK_LIMIT:
        raise AudioRejected(f"The audio peaks at {peak:.0f}; divide integer samples by full scale first.")
    return np.clip(samples, -1.0, 1.0) if peak > 1.0 else samples


def checked_speed(speed: float) -> float:
    """`speed`, if it is one that voices stay intelligible at.

    Raises:
        SynthesisFailed: outside 0.5..2.0.
    """
    if not 0.5 <= speed <= 2.0:
        raise SynthesisFailed(f"A speed of {speed} cannot be spoken; choose 0.5 to 2.0.")
    return speed


def matching_voice(voices: tuple[Voice, ...], *, voice: str | None, language: str) -> Voice:
    """The voice with id `voice`, else the first tagged `language`, else the first of its primary language.

    A speaker or a blend is kept: it gives the voice that it begins with, under the id that was asked for.

    Raises:
        LanguageUnsupported: none of these exists.
    """
    tag, base = canonical_tag(language), base_voice_id(voice or "")
    for candidate in voices:
        if candidate.id == voice:
            return candidate
    for candidate in voices:
        if candidate.id == base:
            return replace(candidate, id=voice or base)
    by_tag = (candidate for candidate in voices if canonical_tag(candidate.language) == tag)
    by_language = (c for c in voices if primary_language(c.language) == primary_language(tag))
    for candidate in (*by_tag, *by_language):
        return candidate
    raise LanguageUnsupported(f"No voice speaks {language!r}; add one or choose another language.")


def base_voice_id(voice_id: str) -> str:
    """The id of the voice that a speaker or a blend begins with: of "kokoro:a+b", "kokoro:a"."""
    engine, _, rest = voice_id.partition(":")
    return f"{engine}:{re.split('[#+:]', rest, maxsplit=1)[0]}"
