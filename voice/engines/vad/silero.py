"""Silero VAD v6: the probability of speech for each 32 ms of a stream.

Its file is in the faster-whisper package. It runs in web processes, so it imports only numpy and onnxruntime,
and onnx while loading.

    vad = SileroVad()
    vad.load()
    stream = vad.stream()                       # one a speaker; holds the model's state
    probabilities = stream(samples)             # float32[8 * 512] at once -> float32[8]
    heard_together([stream, other], samples)    # float32[2, 8 * 512] -> float32[2, 8], at less cost
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from voice.engines.onnx_models import SharedSession, file_in_package
from voice.engines.vad.silero_graph import (
    CONTEXT_SAMPLES,
    FRAME_SAMPLES,
    STATE_SIZE,
    folded,
    for_many_streams,
)
from voice.types import Probabilities, Samples

if TYPE_CHECKING:
    import onnxruntime

MODEL_IN_PACKAGE: Final = ("faster_whisper", "assets/silero_vad_v6.onnx")

# The intermediate results of this many frames fit into a core's cache; with more frames each costs more.
CALL_FRAMES: Final = 64


class SileroVad:
    """The model, shared by all streams of a process; `load` once, then `stream()` for each speaker."""

    def __init__(self, model_path: str = "") -> None:
        """model_path: an ONNX file; "" is the one in the faster-whisper package."""
        self._session = SharedSession(
            lambda: for_many_streams(model_path or file_in_package(*MODEL_IN_PACKAGE))
        )

    def load(self) -> None:
        """Load the model; further calls return at once.

        Raises:
            EngineUnavailable: onnxruntime, onnx or the model is missing.
        """
        self._session.get()

    def stream(self) -> SpeechStream:
        """Return a new stream; load the model if it is not loaded.

        Raises:
            EngineUnavailable: see `load`.
        """
        return SpeechStream(self._session.get())

    def heard_together(self, streams: Sequence[SpeechStream], samples: Probabilities) -> Probabilities:
        """See the function of that name."""
        return heard_together(streams, samples)

    def probabilities(self, samples: Samples) -> Probabilities:
        """Return float32[ceil(n_samples / 512)]: the speech probability of each 32 ms of 16 000 Hz audio."""
        stream, rest = self.stream(), len(samples) % FRAME_SAMPLES
        probabilities = stream(
            samples[: len(samples) - rest]
        )  # padded as a whole, an hour would be there twice
        if not rest:
            return probabilities
        last = np.pad(samples[len(samples) - rest :], (0, FRAME_SAMPLES - rest))
        return np.concatenate([probabilities, stream(last)])


class SpeechStream:
    """The model's state for one speaker. Not for two threads at once."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session = session
        self.hidden = np.zeros(STATE_SIZE, np.float32)
        self.cell = np.zeros(STATE_SIZE, np.float32)
        self.context = np.zeros(CONTEXT_SAMPLES, np.float32)

    @property
    def memory(self) -> bytes:
        """All that the stream remembers; set on another stream, that one goes on from here."""
        return np.concatenate([self.hidden, self.cell, self.context]).tobytes()

    @memory.setter
    def memory(self, memory: bytes) -> None:
        remembered = np.frombuffer(memory, np.float32)
        self.hidden, self.cell, self.context = np.split(remembered, [STATE_SIZE, 2 * STATE_SIZE])

    def __call__(self, samples: Samples) -> Probabilities:
        """Return the speech probability 0..1 of each frame that follows in the stream.

        samples: float32[n * 512] mono 16 000 Hz; several frames at once cost less a frame than one by one.
        """
        return heard_together([self], samples[None])[0]


def heard_together(streams: Sequence[SpeechStream], samples: npt.NDArray[np.float32]) -> Probabilities:
    """Return float32[n_streams, n]: the speech probabilities of the next n frames of each stream.

    All streams belong to one model.
    samples: float32[n_streams, n * 512] mono 16 000 Hz.
    """
    n_streams, n_frames = len(streams), samples.shape[1] // FRAME_SAMPLES
    probabilities = np.empty((n_streams, n_frames), np.float32)
    at_once = max(1, CALL_FRAMES // n_frames) if n_frames else n_streams
    for first in range(0, n_streams, at_once):
        some = slice(first, first + at_once)
        for start in range(0, n_frames, CALL_FRAMES):
            frames = slice(start, start + CALL_FRAMES)
            sound = samples[some, frames.start * FRAME_SAMPLES : frames.stop * FRAME_SAMPLES]
            probabilities[some, frames] = _heard_in_one_call(streams[some], sound)
    return probabilities


def _heard_in_one_call(streams: Sequence[SpeechStream], samples: npt.NDArray[np.float32]) -> Probabilities:
    even, odd = folded(np.array([stream.context for stream in streams]), samples)
    inputs = {
        "even": even,
        "odd": odd,
        "h": np.array([[stream.hidden for stream in streams]]),
        "c": np.array([[stream.cell for stream in streams]]),
    }
    probabilities, (hidden,), (cell,) = streams[0].session.run(["speech", "hn", "cn"], inputs)
    contexts = samples[:, -CONTEXT_SAMPLES:].copy()  # a view would keep all of `samples` in memory
    for stream, *remembered in zip(streams, hidden, cell, contexts, strict=True):
        stream.hidden, stream.cell, stream.context = remembered
    return probabilities.T
