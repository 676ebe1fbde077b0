"""Smart Turn v3: whether a speaker who pauses has finished, judged from the last 8 s of audio.

The path of the ONNX file (9 MB) is configured, or the file is in the pipecat-ai package, which is not
imported. It runs in web processes, so it imports only numpy and onnxruntime; one call takes about 40 ms of
one core.

    model = SmartTurn()
    model.load()                                   # EngineUnavailable: silence alone decides then
    model.probability(samples)                     # 0 goes on .. 1 finished
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from voice.engines.onnx_models import SharedSession, file_in_package
from voice.errors import EngineUnavailable
from voice.types import RECOGNITION_RATE_HZ, Samples

MODEL_IN_PACKAGE: Final = "audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"

# The input that the model was trained on. Source: pipecat-ai/smart-turn v3 (README, inference.py): Whisper's
# features of 8 s, with silence before a shorter recording; openai/whisper audio.py: 400-sample windows, 160
# apart, 80 mel bands.
WINDOW_SAMPLES: Final = 8 * RECOGNITION_RATE_HZ
FFT_SAMPLES: Final = 400
HOP_SAMPLES: Final = 160
MEL_BANDS: Final = 80
DYNAMIC_RANGE: Final = 8.0  # powers of ten below the loudest; anything quieter is raised to this

Spectrogram = npt.NDArray[np.float32]


class SmartTurn:
    """The model, shared by all speakers of a process. Thread-safe."""

    def __init__(self, model_path: str = "") -> None:
        """model_path: an ONNX file; "" is the one in the pipecat-ai package."""
        self._session = SharedSession(lambda: model_path or _packaged_model())

    def load(self) -> None:
        """Load the model; further calls return at once.

        Raises:
            EngineUnavailable: no file is configured and pipecat-ai is not installed, or the file is not a
            model.
        """
        self._session.get()

    def probability(self, samples: Samples) -> float:
        """Return the probability, 0..1, that the speaker has finished.

        samples: float32[n_samples] mono 16 000 Hz, the turn so far with the pause at its end; the last 8 s
        count.

        Raises:
            EngineUnavailable: see `load`.
        """
        recent = samples[-WINDOW_SAMPLES:]
        window = np.pad(recent, (WINDOW_SAMPLES - len(recent), 0))
        (probabilities,) = self._session.get().run(None, {"input_features": log_mel(window)[None]})
        return float(np.asarray(probabilities).reshape(-1)[0])


def log_mel(samples: Samples) -> Spectrogram:
    """Return float32[80, n_samples / 160]: Whisper's log-mel spectrogram at mean 0 and variance 1.

    Source: openai/whisper audio.py, log_mel_spectrogram; the scaling is Smart Turn's.
    """
    scaled = (samples - samples.mean()) / np.sqrt(samples.var() + np.float32(1e-7))
    padded = np.pad(scaled, FFT_SAMPLES // 2, mode="reflect").astype(np.float32)
    frames = sliding_window_view(padded, FFT_SAMPLES)[:-1:HOP_SAMPLES]
    spectrum = np.fft.rfft(frames * np.hanning(FFT_SAMPLES + 1)[:-1].astype(np.float32), axis=-1)
    power = spectrum.real**2 + spectrum.imag**2
    levels = np.log10(np.maximum(_mel_filters() @ power.T, 1e-10))
    levels = np.maximum(levels, levels.max() - DYNAMIC_RANGE)
    return np.ascontiguousarray((levels + 4.0) / 4.0, dtype=np.float32)


def _packaged_model() -> str:
    try:
        return file_in_package("pipecat", MODEL_IN_PACKAGE)
    except EngineUnavailable as error:
        raise EngineUnavailable(
            "Smart Turn is not here; install this project with its extra [turn], or set SMART_TURN_MODEL to "
            f"its ONNX file, as {Path(MODEL_IN_PACKAGE).name}."
        ) from error


@cache
def _mel_filters() -> npt.NDArray[np.float64]:
    """Return float64[80, 201]: triangles of equal area, evenly spaced on the mel scale from 0 to 8 000 Hz.

    Source: M. Slaney, Auditory Toolbox (1998): linear up to 1 000 Hz (15 mel), logarithmic above.
    """
    mel_limit = 15 + np.log(8.0) / (np.log(6.4) / 27)  # of 8 000 Hz
    mels = np.linspace(0, mel_limit, MEL_BANDS + 2)
    corners_hz = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    bins_hz = np.linspace(0, RECOGNITION_RATE_HZ / 2, FFT_SAMPLES // 2 + 1)
    widths = np.diff(corners_hz)[:, None]
    rising = (bins_hz - corners_hz[:-2, None]) / widths[:-1]
    falling = (corners_hz[2:, None] - bins_hz) / widths[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * 2 / (corners_hz[2:] - corners_hz[:-2])[:, None])
