"""Bring voices to one loudness as they speak: each sentence by one gain, known when its samples are there.

    level = Leveller(rate_hz=24_000)
    level.begin()                       # a sentence
    loud = level.feed(samples)

A sentence that comes in pieces, as vendors send it, is measured as it goes; the gain moves without a step.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from voice.audio.processing import GAIN_LIMIT_DB, PEAK_DBFS, Meter
from voice.types import Samples

VOICE_DBFS: Final = -20.0
"""RMS of the audible blocks of every voice (`processing.loudness_dbfs`); it leaves room for peaks."""
_KNOWN_AFTER_S: Final = 0.5
_FIRST_GAIN_DB: Final = 6.0
"""Until that much is measured the gain is at most this: it may be a breath. Voices have -12 to -24 dBFS."""
_LIMIT: Final = 10 ** (PEAK_DBFS / 20)
_KNEE: Final = 0.7
"""Samples above this are rounded off towards the limit. Real voices at -20 dBFS seldom reach it."""


class Leveller:
    """One stream of speech at one rate."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self.begin()

    def begin(self) -> None:
        """Measure the following samples as a sentence of its own."""
        self._meter, self._n_samples = Meter(self._rate_hz), 0
        self._gain: float | None = None

    def feed(self, samples: Samples) -> Samples:
        """Return float32[n_samples] at `VOICE_DBFS`, peaks at most -1 dBFS; silence stays as it is."""
        self._meter.add(samples)
        self._n_samples += len(samples)
        is_known = self._n_samples >= _KNOWN_AFTER_S * self._rate_hz
        most_db = GAIN_LIMIT_DB if is_known else _FIRST_GAIN_DB
        gain = _gain(self._meter.loudness_dbfs(), most_db)
        before = gain if self._gain is None else self._gain
        self._gain = gain
        return _rounded_off(samples * np.linspace(before, gain, len(samples), dtype=np.float32))


def _gain(loudness_dbfs: float, most_db: float) -> float:
    """Return the factor that brings speech of this loudness to `VOICE_DBFS`; 1 for silence."""
    if loudness_dbfs == -math.inf:
        return 1.0
    return float(10 ** (min(most_db, VOICE_DBFS - loudness_dbfs) / 20))


def _rounded_off(samples: Samples) -> Samples:
    """Return the samples with those above the knee bent towards the limit, which none reaches."""
    if not len(samples) or np.abs(samples).max() <= _KNEE:
        return samples
    room = np.float32(_LIMIT - _KNEE)
    above = np.maximum(np.abs(samples) - np.float32(_KNEE), 0)
    bent = np.float32(_KNEE) + room * above / (above + room)
    return np.where(above > 0, np.copysign(bent, samples), samples).astype(np.float32)
