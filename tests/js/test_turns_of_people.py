"""The page's own hearing, on recordings of people with pauses cut in, beside the server's."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from interviews.candidate.turn_taking import TURN_SETTINGS
from interviews.models import Interview
from tests.node import NODE, needs_node
from tests.speech import all_recordings
from voice.audio.pcm import s16le_from_samples
from voice.live import detectors
from voice.live.turn_detection import TurnDetector, TurnEnded, TurnSettings
from voice.types import RECOGNITION_RATE_HZ

HERE = Path(__file__).parent
PATIENCE = TURN_SETTINGS[Interview.Patience.NORMAL]
SILENCE_ALONE = TurnSettings(question_ms=PATIENCE.question_ms, end_silence_ms=PATIENCE.end_silence_ms)
PAUSE_S = 1.5
"""A normal interview ends no turn at such a pause."""
AFTERWARDS_S = 9.0


def with_pause(samples, noise_db, seed):
    """A recording with a pause in its quietest place and silence after it, in a room with some noise."""
    level = np.convolve(samples**2, np.ones(3200), "valid")
    quarter = len(samples) // 4
    cut = quarter + int(np.argmin(level[quarter : 3 * quarter])) + 1600
    silences = [np.zeros(int(seconds * RECOGNITION_RATE_HZ)) for seconds in (0.5, PAUSE_S, AFTERWARDS_S)]
    parts = [silences[0], samples[:cut], silences[1], samples[cut:], silences[2]]
    said = np.concatenate(parts)
    noise = np.random.default_rng(seed).normal(0, 10 ** (noise_db / 20), len(said))
    return s16le_from_samples((said + noise).astype(np.float32))


def heard_by_server(pcm):
    """When the server hears turns end, s."""
    events = TurnDetector(detectors.voice_activity().stream(), SILENCE_ALONE).feed(pcm)
    return [event.timestamp_s for event in events if isinstance(event, TurnEnded)]


def heard_by_page(files):
    """When the page hears turns end, s, for each file."""
    command = [NODE, "--no-warnings", "--import", "./static.mjs", "hear_turns.mjs"]
    silence_ms = str(PATIENCE.end_silence_ms)
    run = subprocess.run([*command, silence_ms, *files], cwd=HERE, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return [[event["timestamp"] for event in events if event["type"] == "turn_ended"] for events in lines]


@needs_node
@pytest.mark.parametrize("noise_db", [-80, -60, -50])
def test_page_cuts_nobody_off_whom_the_server_would_let_go_on(shared_speech, tmp_path, noise_db):
    files, server, lengths_s = [], [], []
    for seed, recording in enumerate(all_recordings()):
        pcm = with_pause(recording.samples(), noise_db, seed)
        files.append(tmp_path / f"{seed}.pcm")
        files[-1].write_bytes(pcm)
        server.append(heard_by_server(pcm))
        lengths_s.append(len(pcm) / 2 / RECOGNITION_RATE_HZ)
    assert len(files) >= 10
    for page, of_server, length_s in zip(heard_by_page(files), server, lengths_s, strict=True):
        assert len(page) <= len(of_server)
        assert page, "the turn never ends"
        assert (
            of_server[-1] - 1.0
            <= page[-1]
            <= length_s - AFTERWARDS_S + 2 * SILENCE_ALONE.end_silence_ms / 1000
        )
