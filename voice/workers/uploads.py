"""Decode what callers uploaded, within the limits of the settings."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from voice.audio import decoding
from voice.audio.decoding import Tally
from voice.types import RECOGNITION_RATE_HZ, Samples


def decoded(file: bytes, tally: Tally) -> Samples:
    """Return float32[n_samples], mono, 16 000 Hz, of an uploaded file; `tally` counts what was skipped.

    Raises:
        AudioRejected: no readable audio, too large, or too long.
    """
    return decoding.decode(file, rate_hz=RECOGNITION_RATE_HZ, tally=tally, **_limits())


def decoded_blocks(file: bytes, *, rate_hz: int, tally: Tally) -> Iterator[Samples]:
    """Yield float32[n_samples], mono, of an uploaded file, about a second at a time.

    Raises:
        AudioRejected: no readable audio, too large, or too long.
    """
    return decoding.decoded_blocks(file, rate_hz=rate_hz, tally=tally, **_limits())


def _limits() -> dict[str, Any]:
    limits = settings.VOICE
    return {"limit_bytes": limits["MAX_UPLOAD_MB"] * 1024**2, "limit_s": limits["MAX_AUDIO_S"]}
