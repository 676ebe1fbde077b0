"""Real weights for tests marked `real`, which are skipped by name where the weights are not on this machine.

They lie outside of the tree, in `REAL_MODELS_DIR`; by default in the user's cache.
"""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("REAL_MODELS_DIR") or Path.home() / ".cache/interview-platform/models")


def whisper(size: str) -> Path:
    """Return the folder of Whisper "base" or "tiny.en", or skip the test where it is missing."""
    return _present(FOLDER / f"whisper-{size}", needs="model.bin")


def piper() -> Path:
    """Return the folder of Piper voices, with en_US-joe-medium."""
    return _present(FOLDER / "piper", needs="en_US-joe-medium.onnx")


def kokoro() -> Path:
    """Return the folder with Kokoro for ONNX Runtime, and its voices in `voices/`."""
    return _present(FOLDER / "kokoro", needs="kokoro-v1.0.int8.onnx")


def _present(folder: Path, *, needs: str) -> Path:
    if not (folder / needs).exists():
        pytest.skip(f"the weights {folder.name}/{needs} are not in REAL_MODELS_DIR")
    return folder
