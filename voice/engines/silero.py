"""Silero VAD v6: how likely each 32 ms of a stream is speech.  The model lies in the faster-whisper package.

Only numpy and onnxruntime are imported, for this runs in web processes.

    vad = SileroVad()
    vad.load()
    stream = vad.stream()                  # one a speaker; keeps what the model remembers
    probabilities = stream(samples)        # float32[8 * 512] at once -> float32[8]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from voice.engines.base import RECOGNITION_RATE_HZ, Samples
from voice.engines.onnx_models import SharedSession, file_in_package

if TYPE_CHECKING:
    import onnxruntime

# The model's own numbers.  Source: snakers4/silero-vad, src/silero_vad/utils_vad.py (OnnxWrapper).
FRAME_SAMPLES: Final = 512
FRAME_MS: Final = FRAME_SAMPLES * 1000 // RECOGNITION_RATE_HZ
CONTEXT_SAMPLES: Final = 64
STATE_SIZE: Final = 128

# A whole file goes through in blocks of this many frames (32 s), which bounds the memory it takes.
BLOCK_FRAMES: Final = 1000

Probabilities = npt.NDArray[np.float32]


class SileroVad:
    """The model, shared by all streams of a process; `load` once, then `stream()` for each speaker."""

    def __init__(self, model_path: str = "") -> None:
        """model_path: an ONNX file; "" is the one in the faster-whisper package."""
        self._session = SharedSession(
            lambda: model_path or file_in_package("faster_whisper", "assets/silero_vad_v6.onnx")
        )

    def load(self) -> None:
        """Load the model; further calls return at once.

        Raises:
            EngineUnavailable: onnxruntime or the model is missing.
        """
        self._session.get()

    def stream(self) -> SpeechStream:
        """A fresh stream; loads the model if that has not happened.

        Raises:
            EngineUnavailable: see `load`.
        """
        return SpeechStream(self._session.get())

    def probabilities(self, samples: Samples) -> Probabilities:
        """float32[ceil(n_samples / 512)]: the speech probability of each 32 ms of a 16 000 Hz recording."""
        stream = self.stream()
        padded = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES))
        block = BLOCK_FRAMES * FRAME_SAMPLES
        parts = [stream(padded[start : start + block]) for start in range(0, len(padded), block)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


class SpeechStream:
    """What the model remembers of one speaker.  Not for two threads at once."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._hidden = np.zeros((1, 1, STATE_SIZE), np.float32)
        self._cell = np.zeros((1, 1, STATE_SIZE), np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)

    def __call__(self, samples: Samples) -> Probabilities:
        """The speech probability 0..1 of each frame that follows in the stream.

        samples: float32[n * 512] mono 16 000 Hz; several frames at once cost half as much a frame as one by
        one.
        """
        if not len(samples):
            return np.zeros(0, np.float32)
        probabilities, self._hidden, self._cell = self._session.run(
            None, {"input": self._with_context(samples), "h": self._hidden, "c": self._cell}
        )
        self._context = samples[-CONTEXT_SAMPLES:].copy()
        return np.asarray(probabilities, np.float32)

    def _with_context(self, samples: Samples) -> npt.NDArray[np.float32]:
        """float32[n, 64 + 512]: each frame behind the last 64 samples before it."""
        frames = samples.reshape(-1, FRAME_SAMPLES)
        contexts = np.vstack([self._context[None], frames[:-1, -CONTEXT_SAMPLES:]])
        return np.ascontiguousarray(np.hstack([contexts, frames]), np.float32)
