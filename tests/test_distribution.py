"""What tests/distribution.py refuses must not keep a target of the Makefile from running."""

import subprocess
import sys
from pathlib import Path

from tests.environment import without_ours

ROOT = Path(__file__).resolve().parent.parent


def test_benchmarks_can_be_collected():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/benchmarks",
    ]
    collected = subprocess.run(
        command, cwd=ROOT, env=without_ours(), capture_output=True, text=True, timeout=240
    )
    assert collected.returncode == 0, collected.stdout[-2000:]
    assert "test_question_audio_on_a_cache_hit" in collected.stdout
