"""Sample rates: a stream at another rate, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from voice.errors import AudioRejected
from voice.types import Samples

if TYPE_CHECKING:
    import av


RATES_HZ: Final = range(4_000, 192_001)


class Resampler:
    """Converts a stream to another rate, piece by piece, without seams."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """
        Raises:
            AudioRejected: a rate outside 4 000..192 000 Hz.
        """
        for rate_hz in (from_hz, to_hz):
            if rate_hz not in RATES_HZ:
                raise AudioRejected(f"{rate_hz} Hz is no usual sample rate; use 8000 to 48000.")
        self._from_hz = from_hz
        self._converter = None if from_hz == to_hz else converter(to_hz)

    def feed(self, samples: Samples) -> Samples:
        """Return float32[]: the samples that can be computed so far."""
        if self._converter is None or not len(samples):
            return samples
        return _joined(self._converter.resample(_frame(samples, self._from_hz)))

    def finish(self) -> Samples:
        """Return float32[]: the remaining samples."""
        return np.zeros(0, np.float32) if self._converter is None else _joined(self._converter.resample(None))


def converter(to_hz: int) -> av.AudioResampler:
    import av

    return av.AudioResampler("flt", "mono", to_hz)


def to_floats() -> av.AudioResampler:
    """Return FFmpeg's conversion of frames to interleaved floats, with channels and rate as they are.

    PyAV 18 crashes where it reads a frame of eight or more planes.
    """
    import av

    return av.AudioResampler("flt")


def _frame(samples: Samples, rate_hz: int) -> av.AudioFrame:
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32)[None], "flt", "mono")
    frame.sample_rate = rate_hz
    return frame


def _joined(frames: list[av.AudioFrame]) -> Samples:
    arrays = [frame.to_ndarray()[0] for frame in frames]
    return np.concatenate(arrays) if arrays else np.zeros(0, np.float32)
