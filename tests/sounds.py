"""Synthetic sounds with known samples."""

from __future__ import annotations

import io
import wave

import av
import numpy as np

from voice.audio.encoding import Container, Encoder, wav_header
from voice.audio.pcm import s16le_from_samples
from voice.audio.resampling import Resampler
from voice.types import RECOGNITION_RATE_HZ, Samples


def tone(seconds: float, rate_hz: int = RECOGNITION_RATE_HZ, frequency_hz: float = 440.0) -> Samples:
    """float32[n_samples]: a sine at half of full scale."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def loudest_hz(samples: Samples, rate_hz: int) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate_hz / len(samples))


def encode(samples: Samples, *, rate_hz: int, container: Container) -> bytes:
    """A whole file of float32[n_samples] mono."""
    file = io.BytesIO()
    encoder = Encoder(container, rate_hz, file=file)
    encoder.feed(s16le_from_samples(samples))
    encoder.finish()
    return file.getvalue()


def stated_seconds(file: bytes) -> float | None:
    """Return the duration that the file's header states; None if it states none."""
    if file.startswith(b"RIFF"):  # FFmpeg would count the bytes that are there
        with wave.open(io.BytesIO(file)) as opened:
            return opened.getnframes() / opened.getframerate()
    if file.startswith((b"\xff\xe3", b"\xff\xf3", b"\xff\xfb", b"ID3")) and b"Info" not in file[:200]:
        return None  # MP3 without a count of its frames
    with av.open(io.BytesIO(file)) as opened:
        return opened.duration / 1e6 if opened.duration else None


def encode_wav(pcm: bytes, *, rate_hz: int = RECOGNITION_RATE_HZ) -> bytes:
    """A WAV file of mono s16le `pcm`, which may be empty."""
    return wav_header(rate_hz, len(pcm)) + pcm


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """float32[about n_samples * to_hz / from_hz]: a whole sound at another rate."""
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.feed(samples), resampler.finish()])
