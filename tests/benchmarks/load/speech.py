"""The candidates' speech: recordings of people if available, else noise in the shape of speech."""

import numpy as np

from tests.speech import RECORDINGS, recordings
from voice.audio.pcm import s16le_from_samples
from voice.types import RECOGNITION_RATE_HZ, Samples

BYTES_A_SECOND = 2 * RECOGNITION_RATE_HZ
PAUSE_S = 0.7
LONGEST_S = 90
GOLDEN = 0.6180339887498949
"""The golden ratio: the fractional parts of its multiples are evenly spread for any number of them."""


class Speech:
    """Utterances from one shared buffer. Each starts at another place, so no two have the same bytes."""

    def __init__(self) -> None:
        said = _of_people() if RECORDINGS.is_dir() else _noise()
        pcm = s16le_from_samples(said)
        self.seconds = len(pcm) / BYTES_A_SECOND
        repeats = 1 + -(-LONGEST_S * BYTES_A_SECOND // len(pcm))
        self._samples = len(pcm) // 2
        self._pcm = memoryview(pcm * repeats)
        self._begun: set[int] = set()

    def utterance(self, seconds: float) -> memoryview:
        """Return s16le of `seconds`, at most 90, in whole samples."""
        start = int(self._samples * (GOLDEN * len(self._begun) % 1))
        while start in self._begun:
            start = (start + 1) % self._samples
        self._begun.add(start)
        return self._pcm[2 * start : 2 * start + 2 * int(seconds * RECOGNITION_RATE_HZ)]


def _of_people() -> Samples:
    pause = _hum(PAUSE_S)
    return np.concatenate([part for said in recordings("en") for part in (said.samples(), pause)])


def _hum(seconds: float) -> Samples:
    """Noise of a quiet room: real microphones never give zeros, and zeros would make utterances equal."""
    noise = np.random.default_rng(0).standard_normal(int(seconds * RECOGNITION_RATE_HZ))
    return (0.001 * noise).astype(np.float32)


def _noise(seconds: float = 60.0) -> Samples:
    """Syllables of low-pass noise, four a second, with a breath after each dozen."""
    random = np.random.default_rng(1)
    n = int(seconds * RECOGNITION_RATE_HZ)
    time = np.arange(n) / RECOGNITION_RATE_HZ
    smooth = np.convolve(random.standard_normal(n), np.ones(8) / 8, mode="same")
    loudness = np.clip(np.sin(2 * np.pi * 4 * time), 0.02, 1) * (time % 4 < 3.2)
    return (0.3 * loudness * smooth).astype(np.float32) + _hum(seconds)
