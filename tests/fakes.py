"""The only fake engines. `tests/contracts/` checks them with the same assertions as the real ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from voice.audio.pcm import checked_samples
from voice.engines.base import SteadyEngine, checked_speed, matching_voice
from voice.errors import LanguageUnsupported, SynthesisFailed
from voice.text.languages import primary_language
from voice.text.sentences import split_sentences
from voice.types import RECOGNITION_RATE_HZ, Recognition, Samples, Segment, SpeechChunk, Voice, Word

SILENT_PEAK = 0.01
SECONDS_PER_CHARACTER = 0.05


@dataclass(frozen=True, slots=True)
class Heard:
    """One call of `FakeRecognition.recognize`."""

    duration_s: float
    language: str | None
    hot_words: str | None
    is_partial: bool


class FakeRecognition(SteadyEngine):
    """Hears `says` in whatever is not silent, its words spread evenly; remembers its calls in `heard`."""

    name = "fake"
    model = "fake"
    device = "cpu"

    def __init__(
        self, says: str = "I led a team of five.", *, languages: tuple[str, ...] = ("en", "de")
    ) -> None:
        self.says = says
        self.heard: list[Heard] = []
        self.loads = 0
        self._languages = languages
        self._lock = threading.Lock()

    def load(self) -> None:
        self.loads += 1

    def supports(self, language: str | None) -> bool:
        return language is None or primary_language(language) in self._languages

    def recognize(
        self,
        samples: Samples,
        *,
        language: str | None,
        hot_words: str | None = None,
        is_partial: bool = False,
        on_segments: Callable[[tuple[Segment, ...]], None] | None = None,
    ) -> Recognition:
        samples = checked_samples(samples)
        if not self.supports(language):
            raise LanguageUnsupported(f"The fake does not hear {language!r}.")
        duration_s = len(samples) / RECOGNITION_RATE_HZ
        with self._lock:
            self.heard.append(Heard(duration_s, language, hot_words, is_partial))
        is_silent = not len(samples) or np.abs(samples).max() < SILENT_PEAK
        segments = () if is_silent else (self._segment(duration_s, is_partial=is_partial),)
        if on_segments and segments:
            on_segments(segments)
        return Recognition(
            text="" if is_silent else self.says,
            language=primary_language(language or self._languages[0]),
            language_probability=1.0 if language else 0.9,
            duration_s=duration_s,
            segments=segments,
            engine=self.name,
            model=self.model,
        )

    def _segment(self, duration_s: float, *, is_partial: bool) -> Segment:
        texts = self.says.split()
        step_s = duration_s / len(texts)
        words = tuple(
            Word(text, round(i * step_s, 3), round((i + 1) * step_s, 3), 0.9) for i, text in enumerate(texts)
        )
        return Segment(self.says, 0.0, duration_s, -0.1, 0.01, () if is_partial else words)


class FakeSynthesis(SteadyEngine):
    """Hums 50 ms a character; remembers what it spoke in `spoken`."""

    name = "fake"
    model = "fake"
    device = "cpu"

    def __init__(
        self, *, languages: tuple[str, ...] = ("en-US", "de-DE"), sample_rate_hz: int = 16_000
    ) -> None:
        self.spoken: list[str] = []
        self.loads = 0
        self._rate_hz = sample_rate_hz
        self._voices = tuple(
            Voice(f"fake:{tag}", tag, f"Fake {tag}", self.name, "last_resort", sample_rate_hz)
            for tag in languages
        )

    def load(self) -> None:
        self.loads += 1

    def voices(self) -> tuple[Voice, ...]:
        return self._voices

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Iterator[SpeechChunk]:
        matching_voice(self._voices, voice=voice, language=language)
        sentences = split_sentences(text, language)
        if not sentences:
            raise SynthesisFailed("There is no text to speak.")
        return self._chunks(sentences, checked_speed(speed))

    def _chunks(self, sentences: list[str], speed: float) -> Iterator[SpeechChunk]:
        for sentence in sentences:
            self.spoken.append(sentence)
            n_samples = int(len(sentence) * SECONDS_PER_CHARACTER * self._rate_hz / speed)
            time_s = np.arange(n_samples) / self._rate_hz
            samples = (0.3 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)
            yield SpeechChunk(samples, self._rate_hz, sentence)
