"""What the candidate's page hears by itself, and what the server hears, in recordings with a pause cut in."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from interviews.candidate.turn_taking import TURN_SETTINGS
from interviews.models import Interview
from tests.node import NODE
from tests.speech import all_recordings
from voice.audio.pcm import s16le_from_samples
from voice.live import detectors
from voice.live.turn_detection import TurnDetector, TurnEnded, TurnSettings
from voice.types import RECOGNITION_RATE_HZ, Samples

MODULES = Path(__file__).parent / "js"
_NORMAL = TURN_SETTINGS[Interview.Patience.NORMAL]
SILENCE_ALONE = TurnSettings(question_ms=_NORMAL.question_ms, end_silence_ms=_NORMAL.end_silence_ms)
"""The patience "normal" at the step of load shedding before the page hears by itself."""
BEFORE_S, AFTERWARDS_S = 0.5, 9.0


@dataclass(frozen=True, slots=True)
class Heard:
    """When turns ended in one recording, s. said_s: when its speech ends."""

    file: str
    said_s: float
    server: list[float]
    page: list[float]


def heard_in_recordings(directory: Path, *, pause_s: float, noise_db: float) -> list[Heard]:
    """Hear each recording with a pause in its quietest place, in a room with white noise (dBFS)."""
    recordings = all_recordings()
    sounds = [
        _with_pause(recording.samples(), pause_s, noise_db, seed) for seed, recording in enumerate(recordings)
    ]
    files = [directory / f"{number}.pcm" for number in range(len(sounds))]
    for file, pcm in zip(files, sounds, strict=True):
        file.write_bytes(pcm)
    return [
        Heard(recording.file, len(pcm) / 2 / RECOGNITION_RATE_HZ - AFTERWARDS_S, _heard_by_server(pcm), page)
        for recording, pcm, page in zip(recordings, sounds, _heard_by_page(files), strict=True)
    ]


def _with_pause(samples: Samples, pause_s: float, noise_db: float, seed: int) -> bytes:
    level = np.convolve(samples**2, np.ones(3200), "valid")
    quarter = len(samples) // 4
    cut = quarter + int(np.argmin(level[quarter : 3 * quarter])) + 1600
    before, pause, afterwards = (
        np.zeros(int(seconds * RECOGNITION_RATE_HZ)) for seconds in (BEFORE_S, pause_s, AFTERWARDS_S)
    )
    said = np.concatenate([before, samples[:cut], pause, samples[cut:], afterwards])
    noise = np.random.default_rng(seed).normal(0, 10 ** (noise_db / 20), len(said))
    return s16le_from_samples((said + noise).astype(np.float32))


def _heard_by_server(pcm: bytes) -> list[float]:
    events = TurnDetector(detectors.voice_activity().stream(), SILENCE_ALONE).feed(pcm)
    return [event.timestamp_s for event in events if isinstance(event, TurnEnded)]


def _heard_by_page(files: list[Path]) -> list[list[float]]:
    command = [NODE, "--no-warnings", "--import", "./static.mjs", "hear_turns.mjs"]
    silence_ms = str(SILENCE_ALONE.end_silence_ms)
    run = subprocess.run(
        [*command, silence_ms, *map(str, files)], cwd=MODULES, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return [[event["timestamp"] for event in events if event["type"] == "turn_ended"] for events in lines]
