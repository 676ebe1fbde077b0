"""Recordings of people as they reach a recogniser: clear, in noise, by telephone, in parts, joined."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.speech import Recording, recordings
from voice.engines.vad.silero import SileroVad
from voice.engines.vad.windows import speech_spans
from voice.types import RECOGNITION_RATE_HZ, Samples

NOISE_DB = 10
"""Speech above noise."""
PAUSE = np.zeros(RECOGNITION_RATE_HZ // 2, np.float32)
LANGUAGES = ("en", "de", "es", "fr")


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """What is recognised, piece by piece, and what was said in all of the pieces.

    source: the recording it was made of. Clips of one recording are not independent of each other.
    """

    source: str
    way: str
    language: str
    transcript: str
    pieces: tuple[Samples, ...]


def clips(*languages: str) -> list[Clip]:
    """Every recording in every way; none where this machine has no recordings."""
    return [
        clip
        for language in languages
        for of_language in [recordings(language)]
        for number, recording in enumerate(of_language)
        for clip in _ways(recording, of_language[number:] + of_language[:number])
    ]


def _ways(recording: Recording, following: list[Recording]) -> Iterator[Clip]:
    """following: recordings of the same language, beginning with this one."""
    samples = recording.samples()
    said = (recording.language, recording.transcript)
    yield Clip(recording.file, "clear", *said, (samples,))
    yield Clip(recording.file, "noise", *said, (in_noise(samples),))
    yield Clip(recording.file, "8 kHz", *said, (by_telephone(samples),))
    yield Clip(recording.file, "cut at pauses", *said, cut_at_pauses(samples))
    for count in (2, 3):
        if len(following) >= count:
            yield _joined(following[:count])


def _joined(members: list[Recording]) -> Clip:
    samples = [part for member in members for part in (member.samples(), PAUSE)]
    transcript = " ".join(member.transcript for member in members)
    return Clip(
        members[0].file, f"{len(members)} joined", members[0].language, transcript, (np.concatenate(samples),)
    )


def in_noise(samples: Samples) -> Samples:
    """Return the samples with noise `NOISE_DB` below them, the same at each call."""
    noise = np.random.default_rng(len(samples)).normal(0, 1, len(samples))
    loudness = np.sqrt((samples**2).mean() / 10 ** (NOISE_DB / 10))
    return (samples + loudness * noise).astype(np.float32)


def by_telephone(samples: Samples) -> Samples:
    """Return the samples without what is above 4 kHz."""
    spectrum = np.fft.rfft(samples)
    spectrum[len(spectrum) // 2 :] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def cut_at_pauses(samples: Samples) -> tuple[Samples, ...]:
    """Return the stretches between pauses of more than 0.8 s, as voice activity finds them."""
    spans = speech_spans(SileroVad().probabilities(samples), len(samples), longest_s=30)
    return tuple(samples[span.start : span.end] for span in spans) or (samples,)
