"""The common part of all cloud recognisers: send only speech, in windows; put times and texts in order.

Silence is never sent: it costs money, and Whisper invents words for it. Windows are at most `longest_s`, cut
at pauses, so the first segments of a long recording come early and every request stays within the vendor's
limits.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from voice.audio.pcm import checked_samples
from voice.engines.base import SteadyEngine
from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.connection import Connection
from voice.engines.vad.silero import SileroVad
from voice.engines.vad.windows import Window, speech_spans, windows
from voice.errors import LanguageUnsupported
from voice.text.languages import primary_language
from voice.types import RECOGNITION_RATE_HZ, Recognition, Samples, Segment, Word

SENTENCE_ENDS = ".!?…。！？؟।"


@dataclass(frozen=True, slots=True)
class Heard:
    """A vendor's answer for one window, times in seconds from the window's first sample."""

    segments: tuple[Segment, ...]
    language: str
    language_probability: float = 1.0


class CloudRecognition(SteadyEngine, ABC):
    """A vendor's recogniser. Subclasses say how one window is asked for."""

    name: str
    device = "cloud"
    longest_s: ClassVar[float] = 120.0
    """Seconds of speech in one request."""
    detects_language: ClassVar[bool] = True

    def __init__(self, account: CloudAccount, *, model: str, vad: SileroVad | None = None) -> None:
        self._account = account
        self.model = account.stt_model or model
        self._vad = vad or SileroVad()
        self._connection = self._connected()

    def load(self) -> None:
        """Check the key and load the local voice activity model; no request is made.

        Raises:
            EngineUnavailable: the key or a package is missing.
        """
        self._connection.open()
        self._vad.load()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._connection.close()

    def supports(self, language: str | None) -> bool:
        """Whether the vendor documents this language; for None, whether it detects languages."""
        if language is None:
            return self.detects_language
        try:
            self._vendor_language(language)
        except LanguageUnsupported:
            return False
        return True

    def recognize(
        self,
        samples: Samples,
        *,
        language: str | None,
        hot_words: str | None = None,
        is_partial: bool = False,
        on_segments: Callable[[tuple[Segment, ...]], None] | None = None,
    ) -> Recognition:
        """See `RecognitionEngine.recognize`."""
        samples = checked_samples(samples)
        if not self.supports(language):
            raise LanguageUnsupported(f"{self.name} does not hear {language!r}; name another language.")
        self.load()
        spoken_in = None if language is None else self._vendor_language(language)
        found: list[Segment] = []
        heard = Heard((), "", 0.0)
        for window in self._windows(samples):
            heard = self._hear(
                window.cut_from(samples), language=spoken_in, hot_words=hot_words or "", is_partial=is_partial
            )
            if spoken_in is None and self.supports(heard.language):  # a recording has one language
                spoken_in = self._vendor_language(heard.language)
            placed = tuple(_placed(heard.segments, window))
            found += placed
            if on_segments:
                on_segments(placed)
        return Recognition(
            text=" ".join(segment.text for segment in found),
            language=primary_language(language or heard.language),
            language_probability=1.0 if language else min(1.0, max(0.0, heard.language_probability)),
            duration_s=len(samples) / RECOGNITION_RATE_HZ,
            segments=tuple(found),
            engine=self.name,
            model=self.model,
        )

    @abstractmethod
    def _connected(self) -> Connection:
        """Return a connection with the vendor's address and the headers that carry the key."""

    @abstractmethod
    def _vendor_language(self, language: str) -> str:
        """Return the language as the vendor spells it.

        Raises:
            LanguageUnsupported: the vendor does not document it.
        """

    @abstractmethod
    def _hear(self, samples: Samples, *, language: str | None, hot_words: str, is_partial: bool) -> Heard:
        """Let the vendor transcribe float32[n_samples]. language: from `_vendor_language`, or None."""

    def _windows(self, samples: Samples) -> list[Window]:
        spans = speech_spans(self._vad.probabilities(samples), len(samples), longest_s=self.longest_s)
        return windows(spans, longest_s=self.longest_s)


def flac_of(samples: Samples) -> bytes:
    """Return a FLAC file, 16 bit, mono, 16 000 Hz: lossless at half the size of WAV.

    Raises:
        AudioRejected: no samples.
    """
    from voice.audio.encoding import encode_flac
    from voice.audio.pcm import s16le_from_samples

    return encode_flac(s16le_from_samples(samples), rate_hz=RECOGNITION_RATE_HZ)


def segment_of(
    text: str,
    words: Iterable[Word],
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    avg_logprob: float | None = None,
    no_speech_prob: float = 0.0,
) -> Segment:
    """Return a segment whose times and probability come from its words unless they are given."""
    spelled = tuple(_spelled(tuple(words), text))
    if start_s is None or end_s is None:
        start_s, end_s = (spelled[0].start_s, spelled[-1].end_s) if spelled else (0.0, 0.0)
    if avg_logprob is None:
        logprobs = [math.log(max(word.confidence, 1e-6)) for word in spelled]
        avg_logprob = sum(logprobs) / len(logprobs) if logprobs else 0.0
    return Segment(text, start_s, end_s, min(0.0, avg_logprob), min(1.0, max(0.0, no_speech_prob)), spelled)


def word_of(text: str, start_s: float, end_s: float, confidence: float) -> Word:
    """Return a word with its confidence clipped to 0..1."""
    return Word(text.strip(), start_s, end_s, min(1.0, max(0.0, confidence)))


def sentences_of(words: Iterable[Word]) -> Iterator[Segment]:
    """Yield segments that end after a word with a sentence mark."""
    sentence: list[Word] = []
    for word in words:
        sentence.append(word)
        if word.text[-1:] in SENTENCE_ENDS:
            yield segment_of(" ".join(each.text for each in sentence), sentence)
            sentence = []
    if sentence:
        yield segment_of(" ".join(each.text for each in sentence), sentence)


def _spelled(words: tuple[Word, ...], text: str) -> Iterator[Word]:
    """Spell `words` as in `text`, with its commas and capitals, if the numbers of words match."""
    spellings = text.split()
    if len(spellings) != len(words):
        return iter(words)
    return (replace(word, text=spelling) for word, spelling in zip(words, spellings, strict=True))


def _placed(segments: Iterable[Segment], window: Window) -> Iterator[Segment]:
    """Yield the segments that have text, with times in the recording, in order, none outside it."""
    earliest = 0.0
    for segment in sorted(segments, key=lambda each: each.start_s):
        if not segment.text:
            continue
        words = []
        for word in segment.words:
            if word.text:
                start_s, end_s = _times(window, word.start_s, word.end_s, earliest)
                words.append(replace(word, start_s=start_s, end_s=end_s))
                earliest = start_s
        start_s, end_s = _times(window, segment.start_s, segment.end_s, 0.0)
        yield replace(segment, start_s=start_s, end_s=end_s, words=tuple(words))


def _times(window: Window, start_s: float, end_s: float, earliest: float) -> tuple[float, float]:
    start = max(earliest, window.original_s(max(0.0, start_s)))
    end = max(start, window.original_s(max(0.0, end_s), is_end=True))
    return round(start, 3), round(end, 3)
