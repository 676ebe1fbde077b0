"""How loud a recording is from moment to moment, small enough to be kept beside it and drawn."""

from typing import Final

import numpy as np

from voice.types import RECOGNITION_RATE_HZ

PEAKS_A_SECOND: Final = 10
"""Finer than a screen with two thousand columns can show of half an hour."""
_SAMPLES: Final = RECOGNITION_RATE_HZ // PEAKS_A_SECOND
_FULL_SCALE: Final = 32_768


def peaks_of(pcm: bytes) -> bytes:
    """Return the loudest sample of each tenth of a second, a byte each: 0 is silence, 255 is full scale.

    pcm: s16le, mono, 16 000 Hz. A last piece that is shorter counts as well.
    """
    samples = np.frombuffer(pcm, "<i2")
    n_whole = len(samples) // _SAMPLES * _SAMPLES
    pieces = samples[:n_whole].reshape(-1, _SAMPLES)
    loudest = np.maximum(pieces.max(axis=1).astype(np.int32), -pieces.min(axis=1).astype(np.int32))
    if rest := samples[n_whole:].astype(np.int32).tolist():
        loudest = np.append(loudest, max(abs(sample) for sample in rest))
    return (loudest * 255 // _FULL_SCALE).astype(np.uint8).tobytes()
