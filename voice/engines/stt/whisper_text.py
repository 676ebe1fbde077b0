"""Turn the output of Whisper's decoder into words and segments, or mark it as unreliable. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from voice.engines.vad.windows import Window
from voice.types import RECOGNITION_RATE_HZ, Segment, Word

# Limits of a reliable decoding. Source: Radford et al., Robust Speech Recognition via Large-Scale Weak
# Supervision (2022), section 4.5; openai/whisper transcribe.py.
REPETITIVE_COMPRESSION: Final = 2.4
UNRELIABLE_LOGPROB: Final = -1.0
NO_SPEECH: Final = 0.6

# A decoding that ends so much before or after the sound left something out, or went on by itself.
END_TOLERANCE_S: Final = 2.0
# A phrase of n words said at least so often in a row.
LONGEST_PHRASE: Final = 8
REPEATS: Final = 3

SENTENCE_ENDS: Final = ".。!！?？"
LONGEST_WORD_MEDIAN_S: Final = 0.7


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    words: tuple[Word, ...]
    """With their leading spaces; times in seconds of the window."""
    avg_logprob: float
    no_speech_prob: float
    compression: float
    end_s: float | None = None
    """Where the decoder says that speech ended; None if it does not say."""
    is_cut_off: bool = False
    """Whether it had not ended after as many tokens as it may have."""

    @property
    def verdict(self) -> Literal["good", "silence", "retry"]:
        if self.avg_logprob < UNRELIABLE_LOGPROB and self.no_speech_prob > NO_SPEECH:
            return "silence"
        if self.avg_logprob < UNRELIABLE_LOGPROB or self.compression > REPETITIVE_COMPRESSION:
            return "retry"
        return "good"

    def is_doubtful(self, length_s: float) -> bool:
        """Whether a decoding in a short context has to be confirmed by one in 30 s of context.

        length_s: of the window.
        """
        ends_elsewhere = self.end_s is not None and abs(self.end_s - length_s) > END_TOLERANCE_S
        return self.verdict != "good" or self.is_cut_off or ends_elsewhere or repeats_itself(self.text)


def repeats_itself(text: str) -> bool:
    """Whether a phrase of up to eight words stands three times in a row."""
    words = text.lower().split()
    return any(
        words[start : start + length] * REPEATS == words[start : start + length * REPEATS]
        for length in range(1, LONGEST_PHRASE + 1)
        for start in range(len(words) - length * REPEATS + 1)
    )


def shortened(words: list[Word]) -> tuple[Word, ...]:
    """Limit the first word, and words that end sentences, to twice the median duration.

    The attention extends into the silence around them. Source: openai/whisper timing.py, add_word_timestamps.
    """
    durations = [word.end_s - word.start_s for word in words if word.end_s > word.start_s]
    if not durations:
        return tuple(words)
    longest_s = 2 * min(LONGEST_WORD_MEDIAN_S, float(np.median(durations)))
    shortened = []
    for position, word in enumerate(words):
        start_s, end_s = word.start_s, word.end_s
        if end_s - start_s > longest_s and position == 0:
            start_s = end_s - longest_s
        elif end_s - start_s > longest_s and word.text[-1] in SENTENCE_ENDS:
            end_s = start_s + longest_s
        shortened.append(Word(word.text, start_s, end_s, word.confidence))
    return tuple(shortened)


def segments_of(window: Window, decoded: Decoded) -> list[Segment]:
    """Return one segment a sentence, or one a window for a partial; none if the model detected no speech."""
    if decoded.verdict == "silence" or not decoded.text:
        return []
    if not decoded.words:
        span_s = [limit / RECOGNITION_RATE_HZ for limit in (window.spans[0].start, window.spans[-1].end)]
        return [Segment(decoded.text, span_s[0], span_s[1], decoded.avg_logprob, decoded.no_speech_prob)]
    return [_segment(window, decoded, sentence) for sentence in _sentences(decoded.words)]


def _sentences(words: tuple[Word, ...]) -> list[tuple[Word, ...]]:
    ends = [i + 1 for i, word in enumerate(words[:-1]) if word.text.rstrip()[-1:] in tuple(SENTENCE_ENDS)]
    return [words[start:end] for start, end in pairwise([0, *ends, len(words)])]


def _segment(window: Window, decoded: Decoded, sentence: tuple[Word, ...]) -> Segment:
    words = tuple(
        Word(
            word.text.strip(),
            round(window.original_s(word.start_s), 3),
            round(window.original_s(word.end_s, is_end=True), 3),
            word.confidence,
        )
        for word in sentence
    )
    text = "".join(word.text for word in sentence).strip()
    return Segment(
        text, words[0].start_s, words[-1].end_s, decoded.avg_logprob, decoded.no_speech_prob, words
    )
