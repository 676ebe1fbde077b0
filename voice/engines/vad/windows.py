"""Find the speech in a recording, and cut it into windows for a recogniser. Pure.

`WindowCutter` decides where Whisper's windows lie: from the speech probabilities alone, frame after frame, so
that the windows of a recording which still grows are those of the whole one. A window that it has closed
never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

import numpy as np

from voice.engines.base import SILENCE_THRESHOLD, SPEECH_THRESHOLD
from voice.engines.vad.silero import FRAME_SAMPLES
from voice.types import RECOGNITION_RATE_HZ, Probabilities, Span, Window

# Source: faster-whisper, VadOptions.speech_pad_ms: soft beginnings and ends lie outside the threshold.
PAD_MS: Final = 400


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


# Of `WindowCutter`. The limits are whole multiples of 16 ms, so times move by whole milliseconds.
LEAD_SAMPLES: Final = PAD_MS * RECOGNITION_RATE_HZ // 1000
TAIL_SAMPLES: Final = 6 * FRAME_SAMPLES
"""Sound after the last frame of speech: 192 ms. When so much silence has followed, the window can be
recognised; so it is short."""
LONGEST_SAMPLES: Final = 30 * RECOGNITION_RATE_HZ
"""Source: Whisper takes 30 s at once."""
CLOSING_PAUSES: Final = (
    (20 * RECOGNITION_RATE_HZ, 10 * FRAME_SAMPLES),
    (10 * RECOGNITION_RATE_HZ, 19 * FRAME_SAMPLES),
)
"""A window with so much speech ends at a silence of so many samples: of 20 s at 320 ms, of 10 s at 608 ms."""


@dataclass(slots=True)
class WindowCutter:
    """The windows of one recording, from its first frame on. Its fields are the state; JSON can hold them."""

    n_frames: int = 0
    spans: list[Span] = field(default_factory=list)
    """The complete spans of the open window; silence of any length between them is left out."""
    running_from: int | None = None
    """The first sample of the span that is being spoken; None during silence."""
    spoken_to: int = 0
    """The frame after the last one of speech."""
    closed_to: int = 0
    """No later window begins before this sample."""
    least: tuple[float, int] = (2.0, 0)
    """The probability and the number of the frame at which the last span would be cut."""

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Return the cutter whose `state` this is."""
        spans = [Span(*span) for span in state["spans"]]
        return cls(**state | {"spans": spans, "least": tuple(state["least"])})

    def state(self) -> dict[str, Any]:
        """Return the state in a form for JSON."""
        return asdict(self) | {"spans": [(span.start, span.end) for span in self.spans]}

    def feed(self, probabilities: Probabilities) -> list[Window]:
        """Take the speech probabilities of the next frames; return the windows that end in them."""
        return [window for each in probabilities.tolist() for window in self._frame(each)]

    def open_window(self, n_samples: int) -> Window | None:
        """Return the last window of a recording that ends here, after `n_samples`; None without speech."""
        spans = [Span(span.start, min(span.end, n_samples)) for span in self.spans]
        if self.running_from is not None:
            spans.append(Span(self.running_from, n_samples))
        return Window(tuple(spans)) if spans else None

    def is_complete(self, n_samples: int) -> bool:
        """Whether the open window holds all of its sound already: silence would not change it."""
        return self.running_from is None and bool(self.spans) and self.spans[-1].end <= n_samples

    @property
    def needs_from(self) -> int:
        """The first sample that a later window may begin with."""
        if self.spans:
            return self.spans[0].start
        if self.running_from is not None:
            return self.running_from
        return max(self.closed_to, self.n_frames * FRAME_SAMPLES - LEAD_SAMPLES)

    def _frame(self, probability: float) -> Iterator[Window]:
        frame, self.n_frames = self.n_frames, self.n_frames + 1
        threshold = SPEECH_THRESHOLD if self.running_from is None else SILENCE_THRESHOLD
        is_speech = probability >= threshold
        if is_speech:
            self.spoken_to = self.n_frames
        if is_speech and self.running_from is None:
            self._begin(max(self.closed_to, frame * FRAME_SAMPLES - LEAD_SAMPLES))
        elif not is_speech and self.running_from is not None:
            self.spans.append(Span(self.running_from, frame * FRAME_SAMPLES + TAIL_SAMPLES))
            self.running_from = None
        self._note_least(probability, frame)
        if self.running_from is not None:
            while self._is_full(self.running_from):
                yield self._close_full(self.running_from)
        elif self._is_over():
            yield self._close()

    def _begin(self, start: int) -> None:
        if self.spans and start <= self.spans[-1].end:
            self.running_from = self.spans.pop().start
        else:
            self.running_from, self.least = start, (2.0, 0)

    def _note_least(self, probability: float, frame: int) -> None:
        """Remember the frame of the last span's second half that is least like speech."""
        start = self.spans[-1].start if self.spans and self.running_from is None else self.running_from
        if start is None or frame * FRAME_SAMPLES - start < LONGEST_SAMPLES // 2:
            return
        if probability < self.least[0]:
            self.least = probability, frame

    def _is_full(self, running_from: int) -> bool:
        running = self.n_frames * FRAME_SAMPLES - running_from
        return _length(self.spans) + running + TAIL_SAMPLES > LONGEST_SAMPLES

    def _close_full(self, running_from: int) -> Window:
        """Close it before the span that is being spoken; if that fills it alone, cut that span."""
        if not self.spans:
            cut = self.least[1] * FRAME_SAMPLES
            self.spans = [Span(running_from, cut)]
            self.running_from, self.least = cut, (2.0, 0)
        return self._close()

    def _is_over(self) -> bool:
        silent, spoken = (self.n_frames - self.spoken_to) * FRAME_SAMPLES, _length(self.spans)
        return any(spoken >= enough and silent >= pause for enough, pause in CLOSING_PAUSES)

    def _close(self) -> Window:
        window = Window(tuple(self.spans))
        self.closed_to, self.spans = self.spans[-1].end, []
        return window


def _length(spans: Sequence[Span]) -> int:
    return sum(map(len, spans))


def windows_of(probabilities: Probabilities, n_samples: int) -> list[Window]:
    """Return the windows of a whole recording of `n_samples`."""
    cutter = WindowCutter()
    closed = cutter.feed(probabilities)
    last = cutter.open_window(n_samples)
    return [*closed, last] if last else closed
