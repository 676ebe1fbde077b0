"""Silero VAD from its original ONNX file, one stream in each call: the reference for ours."""

from __future__ import annotations

from functools import cache

import numpy as np

from voice.engines.onnx_models import file_in_package, one_thread_session
from voice.engines.vad.silero import MODEL_IN_PACKAGE, Probabilities
from voice.types import Samples


class OriginalStream:
    """The same interface as `voice.engines.vad.silero.SpeechStream`."""

    def __init__(self) -> None:
        self._session = _session()
        self._hidden = self._cell = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(64, np.float32)

    def __call__(self, samples: Samples) -> Probabilities:
        frames = samples.reshape(-1, 512)
        contexts = np.vstack([self._context[None], frames[:-1, -64:]])
        self._context = frames[-1, -64:]
        probabilities, self._hidden, self._cell = self._session.run(
            None, {"input": np.hstack([contexts, frames]), "h": self._hidden, "c": self._cell}
        )
        return probabilities


@cache
def _session():
    return one_thread_session(file_in_package(*MODEL_IN_PACKAGE))
