"""PocketSphinx: English recognition from a model inside its own wheel, for a machine without other models.

The decoder holds Python's global lock while it works (measured with 5.1.1: a thread that wakes each
millisecond woke 4 times in 2.1 s of decoding). A second decoder, 96 MB, would gain nothing, so there is one,
behind a lock. A recording is decoded in utterances of at most `LONGEST_UTTERANCE_S` (about 1.7 s of work
each), so that other threads, such as heartbeats, get to run. For more speed, run more worker processes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from voice.audio.pcm import checked_samples, s16le_from_samples
from voice.engines.base import SteadyEngine
from voice.engines.stt.batching import TurnsLock
from voice.engines.vad.silero import SileroVad
from voice.engines.vad.windows import Span, speech_spans
from voice.errors import EngineUnavailable, LanguageUnsupported
from voice.text.languages import primary_language
from voice.types import RECOGNITION_RATE_HZ, Recognition, Samples, Segment, Word

if TYPE_CHECKING:
    import pocketsphinx

LONGEST_UTTERANCE_S: Final = 10.0
FRAMES_PER_S: Final = 100  # PocketSphinx's own frame rate, its parameter -frate
_PRONUNCIATION: Final = re.compile(r"\(\d+\)$")


class PocketSphinx(SteadyEngine):
    """See the module. Median word error rate 0.17 on nine English clips, real-time factor 0.17."""

    name = "pocketsphinx"
    model = "en-us"
    device = "cpu"

    def __init__(self, *, vad: SileroVad | None = None) -> None:
        self._vad = vad or SileroVad()
        self._decoder: pocketsphinx.Decoder | None = None
        self._lock = TurnsLock()

    def load(self) -> None:
        """Load the model (0.4 s); further calls return at once.

        Raises:
            EngineUnavailable: the package is missing or broken.
        """
        self._vad.load()
        with self._lock:
            if self._decoder is None:
                self._decoder = _new_decoder()

    def supports(self, language: str | None) -> bool:
        """Whether the language is English; it cannot detect languages, so None is not supported."""
        return language is not None and primary_language(language) == "en"

    def recognize(
        self,
        samples: Samples,
        *,
        language: str | None,
        hot_words: str | None = None,
        is_partial: bool = False,
        on_segments: Callable[[tuple[Segment, ...]], None] | None = None,
    ) -> Recognition:
        """See `RecognitionEngine.recognize`. Hot words are ignored; partials cost the same as finals."""
        samples = checked_samples(samples)
        if not self.supports(language):
            raise LanguageUnsupported(
                "PocketSphinx hears English only; name it, or configure another engine."
            )
        self.load()
        probabilities = self._vad.probabilities(samples)
        spans = speech_spans(probabilities, len(samples), longest_s=LONGEST_UTTERANCE_S)
        segments: tuple[Segment, ...] = ()
        for span in spans:
            segment = self._segment(samples, span)
            found = (segment,) if segment else ()
            segments += found
            if on_segments:
                on_segments(found)
        return Recognition(
            text=" ".join(segment.text for segment in segments),
            language="en",
            language_probability=1.0,
            duration_s=len(samples) / RECOGNITION_RATE_HZ,
            segments=segments,
            engine=self.name,
            model=self.model,
        )

    def _segment(self, samples: Samples, span: Span) -> Segment | None:
        pcm = s16le_from_samples(samples[span.start : span.end])
        with self._lock:
            words = self._decoded(pcm, offset_s=span.start / RECOGNITION_RATE_HZ)
        if not words:
            return None
        logprobs = [math.log(max(word.confidence, 1e-6)) for word in words]
        return Segment(
            text=" ".join(word.text for word in words),
            start_s=words[0].start_s,
            end_s=words[-1].end_s,
            avg_logprob=float(np.mean(logprobs)),
            no_speech_prob=0.0,
            words=words,
        )

    def _decoded(self, pcm: bytes, *, offset_s: float) -> tuple[Word, ...]:
        decoder = self._decoder
        assert decoder is not None
        decoder.reinit_feat()  # forget the last speaker's noise and loudness, which would affect the words
        decoder.start_utt()
        try:
            decoder.process_raw(pcm, no_search=False, full_utt=True)
        finally:
            decoder.end_utt()
        found = decoder.seg() if decoder.hyp() else ()
        return tuple(_word(segment, offset_s) for segment in found if segment.word[0] not in "<[+")


def _new_decoder() -> pocketsphinx.Decoder:
    try:
        import pocketsphinx
    except ImportError as error:
        raise EngineUnavailable("The Python package 'pocketsphinx' is missing; install it.") from error
    try:
        return pocketsphinx.Decoder(samprate=RECOGNITION_RATE_HZ, loglevel="FATAL")
    except RuntimeError as error:
        raise EngineUnavailable(
            "PocketSphinx cannot load its own model; install the package again."
        ) from error


def _word(segment: pocketsphinx.Segment, offset_s: float) -> Word:
    return Word(
        text=_PRONUNCIATION.sub("", segment.word),
        start_s=round(offset_s + segment.start_frame / FRAMES_PER_S, 3),
        end_s=round(offset_s + (segment.end_frame + 1) / FRAMES_PER_S, 3),
        confidence=min(1.0, max(0.0, segment.prob)),
    )
