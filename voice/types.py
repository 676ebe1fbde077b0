"""The values that speech code passes around: windows, words, segments, recognitions, voices, speech.

Audio is always `float32[n_samples]`, mono, -1..1. Recognition takes 16 000 Hz; a chunk of speech names its
rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Probabilities = npt.NDArray[np.float32]
"""How likely each frame is speech, 0..1."""
RECOGNITION_RATE_HZ = 16_000
SAMPLE_BYTES = 2
BYTES_A_SECOND = RECOGNITION_RATE_HZ * SAMPLE_BYTES
"""Of what is recorded and recognised: 16 000 Hz, mono, 16 bits."""


@dataclass(frozen=True, slots=True)
class Span:
    """Samples `start` to `end` (exclusive) of a recording."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Window:
    """Spans joined end to end, to be transcribed in one go."""

    spans: tuple[Span, ...]

    def cut_from(self, recording: Samples) -> Samples:
        """Return float32[n_samples]: the spans of `recording`, joined."""
        return np.concatenate([recording[span.start : span.end] for span in self.spans])

    def original_s(self, time_s: float, *, is_end: bool = False) -> float:
        """Convert a time in the window to one in the recording; an end at a seam stays in the span before."""
        sample = time_s * RECOGNITION_RATE_HZ
        for span in self.spans:
            if sample < len(span) or (is_end and sample == len(span)) or span is self.spans[-1]:
                return (span.start + min(sample, len(span))) / RECOGNITION_RATE_HZ
            sample -= len(span)
        return time_s


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word. Times in seconds from the first sample; confidence 0..1."""

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
    """The result of transcribing audio. Silence gives an empty text and no segments."""

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


class EngineModel(NamedTuple):
    """An engine for recognition, with the model that it has."""

    engine: str
    model: str

    def __str__(self) -> str:
        return f"{self.engine} ({self.model})" if self.model else self.engine


Quality = Literal["neural", "cloned", "cloud", "last_resort"]


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice to choose. `id` is "<engine>:<name>", such as "piper:en_US-lessac-medium" or "espeak:en-us".

    A suffix after the name chooses a speaker or blends voices: "piper:en_US-libritts-high#p3922" is one of
    the voice's `speakers`, "kokoro:af_heart:0.7+af_bella:0.3" is a blend that begins with "kokoro:af_heart".
    """

    id: str
    language: str
    name: str
    engine: str
    quality: Quality
    sample_rate_hz: int
    speakers: tuple[str, ...] = ()
    """The speakers of a voice with several people; empty for a voice with one."""


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """The speech of one sentence: `samples` float32[n_samples] mono -1..1 at `sample_rate_hz`.

    A vendor's speech comes in smaller pieces: the first carries the text of all of them, the others have
    none.
    """

    samples: Samples
    sample_rate_hz: int
    text: str

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


Direction = Literal["recognition", "synthesis", "completion"]
"""What an engine does. A completion is the text that a language model writes (`interviews.brain`)."""


@dataclass(frozen=True, slots=True)
class SpeakerTurn:
    """A stretch in which one speaker talks; `speaker` counts from 0 in order of appearance, times in seconds.

    Turns of different speakers may overlap.
    """

    speaker: int
    start_s: float
    end_s: float
