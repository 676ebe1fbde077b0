"""Synthetic sounds with known samples."""

from __future__ import annotations

import numpy as np

from voice.types import RECOGNITION_RATE_HZ, Samples


def tone(seconds: float, rate_hz: int = RECOGNITION_RATE_HZ, frequency_hz: float = 440.0) -> Samples:
    """float32[n_samples]: a sine at half of full scale."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def loudest_hz(samples: Samples, rate_hz: int) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate_hz / len(samples))
