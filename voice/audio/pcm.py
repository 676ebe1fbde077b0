"""Convert samples to bytes and back, and seconds to byte positions."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from voice.errors import AudioRejected
from voice.types import BYTES_A_SECOND, SAMPLE_BYTES, Samples

FULL_SCALE: Final = 32768.0


def samples_from_s16le(pcm: bytes | bytearray | memoryview) -> Samples:
    """Return float32[len(pcm) / 2] from s16le bytes.

    Raises:
        AudioRejected: an odd number of bytes.
    """
    if len(pcm) % SAMPLE_BYTES:
        raise AudioRejected(f"{len(pcm)} bytes are no whole number of 16-bit samples; send an even number.")
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    samples /= np.float32(FULL_SCALE)  # in place: an hour of samples takes 230 MB
    return samples


def s16le_from_samples(samples: Samples) -> bytes:
    """Return the s16le bytes of float32[n_samples]; values outside -1..1 are clipped."""
    scaled = np.asarray(samples, np.float32) * np.float32(FULL_SCALE)
    np.clip(np.rint(scaled, out=scaled), -FULL_SCALE, FULL_SCALE - 1, out=scaled)
    return scaled.astype("<i2").tobytes()


def samples_from_f32le(pcm: bytes | bytearray | memoryview) -> Samples:
    """Return float32[len(pcm) / 4] from little-endian 32-bit floats.

    Raises:
        AudioRejected: the number of bytes is not a multiple of four, or a value is NaN or infinite.
    """
    if len(pcm) % 4:
        raise AudioRejected(
            f"{len(pcm)} bytes are no whole number of 32-bit samples; send a multiple of four."
        )
    samples = np.frombuffer(pcm, "<f4").astype(np.float32)
    if not np.isfinite(samples).all():
        raise AudioRejected("The audio holds NaN or infinity; send finite floats between -1 and 1.")
    return samples


# Decoders of lossy formats overshoot full scale a little (inter-sample peaks of MP3 and Opus reach +3 dB). A
# peak above twice full scale means integers that were passed as floats.
PEAK_LIMIT = 2.0


def checked_samples(samples: Samples) -> Samples:
    """Return `samples` as contiguous float32[n_samples], clipped to -1..1.

    Raises:
        AudioRejected: not one-dimensional floats, not finite, or beyond twice full scale.
    """
    if not isinstance(samples, np.ndarray) or samples.ndim != 1 or samples.dtype.kind != "f":
        raise AudioRejected("Pass mono audio as a one-dimensional array of floats between -1 and 1.")
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    if not len(samples):
        return samples
    peak = max(float(samples.max()), -float(samples.min()))  # NaN is the largest and the smallest of all
    if not math.isfinite(peak):
        raise AudioRejected("The audio holds NaN or infinity; decode it again from its source.")
    if peak > PEAK_LIMIT:
        raise AudioRejected(f"The audio peaks at {peak:.0f}; divide integer samples by full scale first.")
    return np.clip(samples, -1.0, 1.0) if peak > 1.0 else samples


def byte_at(timestamp_s: float) -> int:
    """Return the position of the byte at which the sample of this time begins."""
    return even_byte(round(timestamp_s * BYTES_A_SECOND))


def even_byte(position: int) -> int:
    """The byte at or before `position` at which a sample begins; 0 before the first."""
    return max(0, position // SAMPLE_BYTES * SAMPLE_BYTES)
