"""Find the speech in a recording, and cut it into windows for a recogniser. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from voice.engines.base import SILENCE_THRESHOLD, SPEECH_THRESHOLD
from voice.engines.vad.silero import FRAME_SAMPLES, Probabilities
from voice.types import RECOGNITION_RATE_HZ, Samples

# Source: faster-whisper, VadOptions.speech_pad_ms: soft beginnings and ends lie outside the threshold.
PAD_MS: Final = 400


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


def speech_spans(probabilities: Probabilities, n_samples: int, *, longest_s: float) -> list[Span]:
    """Return the spans of speech, padded, in order, without overlap, each at most `longest_s`.

    probabilities: of each 512 samples, from `SileroVad.probabilities`.
    n_samples: the length of the recording.
    """
    longest = int(longest_s * RECOGNITION_RATE_HZ)
    return [
        piece
        for span in _padded(_runs(probabilities), n_samples)
        for piece in _cut(span, probabilities, longest)
    ]


def windows(spans: Sequence[Span], *, longest_s: float) -> list[Window]:
    """Pack `spans` in order into as few windows of at most `longest_s` as the order allows."""
    longest = longest_s * RECOGNITION_RATE_HZ
    packed: list[list[Span]] = []
    for span in spans:
        if packed and sum(map(len, packed[-1])) + len(span) <= longest:
            packed[-1].append(span)
        else:
            packed.append([span])
    return [Window(tuple(members)) for members in packed]


def _runs(probabilities: Probabilities) -> Iterator[tuple[int, int]]:
    """Yield frames [start, end) of each run of speech, with hysteresis."""
    start = None
    for frame, probability in enumerate(probabilities.tolist()):
        if start is None and probability >= SPEECH_THRESHOLD:
            start = frame
        elif start is not None and probability < SILENCE_THRESHOLD:
            yield start, frame
            start = None
    if start is not None:
        yield start, len(probabilities)


def _padded(runs: Iterator[tuple[int, int]], n_samples: int) -> list[Span]:
    pad = PAD_MS * RECOGNITION_RATE_HZ // 1000
    spans: list[Span] = []
    for first, last in runs:
        span = Span(max(0, first * FRAME_SAMPLES - pad), min(n_samples, last * FRAME_SAMPLES + pad))
        if spans and span.start <= spans[-1].end:
            spans[-1] = Span(spans[-1].start, span.end)
        else:
            spans.append(span)
    return spans


def _cut(span: Span, probabilities: Probabilities, longest: int) -> Iterator[Span]:
    """Cut `span` into pieces of at most `longest` samples, where the second half is least like speech."""
    while len(span) > longest:
        first, last = (span.start + longest // 2) // FRAME_SAMPLES, (span.start + longest) // FRAME_SAMPLES
        cut = (first + int(np.argmin(probabilities[first:last]))) * FRAME_SAMPLES
        yield Span(span.start, cut)
        span = Span(cut, span.end)
    yield span
