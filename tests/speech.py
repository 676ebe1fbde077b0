"""Speech for the tests: sentences from espeak-ng, which the project installs, and recordings of people.

Some machines have the recordings beside the repository; elsewhere the tests that need them are skipped.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tests.sounds import resample
from voice.audio.decoding import decode
from voice.engines.tts.espeak import Espeak
from voice.types import RECOGNITION_RATE_HZ, Samples

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "speech"


@dataclass(frozen=True, slots=True)
class Recording:
    file: str
    language: str
    transcript: str

    def samples(self) -> Samples:
        return decode((RECORDINGS / self.file).read_bytes())


@cache
def spoken(text: str, *, language: str = "en-US", pause_s: float = 0.0) -> Samples:
    """float32[n_samples] mono 16 000 Hz: `text`, then silence."""
    chunks = Espeak().synthesize(text, voice=None, language=language)
    parts = [resample(chunk.samples, chunk.sample_rate_hz, RECOGNITION_RATE_HZ) for chunk in chunks]
    return np.concatenate([*parts, np.zeros(int(pause_s * RECOGNITION_RATE_HZ), np.float32)])


def recordings(language: str) -> list[Recording]:
    """Recordings of people in `language`; empty if this machine has none."""
    return [recording for recording in all_recordings() if recording.language == language]


def all_recordings() -> list[Recording]:
    """Recordings of people in all languages; empty if this machine has none."""
    manifest = RECORDINGS / "manifest.tsv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return [Recording(row["file"], row["language"], row["transcript"]) for row in rows]


def word_error_rate(said: str, heard: str) -> float:
    """Edits (words inserted, deleted, replaced) for each spoken word, ignoring case and punctuation."""
    return word_edits(words_of(said), words_of(heard)) / len(words_of(said))


def word_edits(reference: list[str], hypothesis: list[str]) -> int:
    """Words to insert, delete or replace to turn one into the other."""
    costs = list(range(len(hypothesis) + 1))
    for row, word in enumerate(reference, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(hypothesis, start=1):
            replaced = diagonal + (word != other)
            diagonal = costs[column]
            costs[column] = min(replaced, diagonal + 1, costs[column - 1] + 1)
    return costs[-1]


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())
