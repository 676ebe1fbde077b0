"""Kokoro on ONNX Runtime: one core, no PyTorch. Files: kokoro-v1.0*.onnx and voices/<name>.bin.

A voice is float32[510, 256]: a row of style for each length of a text. It speaks English, Spanish, French,
Hindi, Italian and Portuguese, whose letters espeak-ng turns into sounds; espeak-ng can't read Japanese and
Chinese well enough, so these need the package `kokoro`.
Real-time factor 0.6 on one core, 300 MB. Weights and voices: Apache-2.0 (hexgrad/Kokoro-82M).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from voice.engines.onnx_models import one_thread_session, onnx_errors
from voice.engines.tts import espeak, kokoro_symbols
from voice.engines.tts.kokoro_voices import SAMPLE_RATE_HZ, VOICES, Blend
from voice.errors import EngineUnavailable, SynthesisFailed, VoiceUnavailable
from voice.types import Samples, Voice

if TYPE_CHECKING:
    import onnxruntime

MODEL_FILES: Final = "kokoro-v1.0*.onnx"
STYLE_WIDTH: Final = 256
LEAD_S: Final = 0.05
"""Silence before a sentence. The model makes 0.2 to 0.45 s of it, and about as much after the sentence."""
_SILENT_PEAK: Final = 0.01


class OnnxKokoro:
    """See the module. Calls run at once, each on its caller's thread."""

    device = "cpu"

    def __init__(self, directory: Path) -> None:
        self.model = "kokoro-v1.0"  # until the file is known
        self._directory = directory
        self._session: onnxruntime.InferenceSession | None = None
        self._styles: dict[str, npt.NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    def is_there(self) -> bool:
        """Whether the directory has a model for this runtime."""
        return any(self._directory.glob(MODEL_FILES))

    def load(self) -> None:
        """Load the model and espeak-ng; further calls return at once. Voices load when first used.

        Raises:
            EngineUnavailable: the model, ONNX Runtime or espeak-ng is missing or damaged.
        """
        with self._lock:
            if self._session is None:
                espeak.Espeak().load()
                model = next(iter(sorted(self._directory.glob(MODEL_FILES))), None)
                if model is None:
                    raise EngineUnavailable(
                        f"There is no {MODEL_FILES} in {self._directory}; fetch it again."
                    )
                self.model, self._session = model.stem, one_thread_session(str(model))

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices that have a file and speak a language whose letters become symbols here."""
        spoken = (voice for voice in VOICES if voice.language in kokoro_symbols.LANGUAGES)
        return tuple(voice for voice in spoken if self._voice_file(voice.name).is_file())

    def spoken(self, sentence: str, *, weights: Blend, language: str, speed: float) -> Samples:
        """Return float32[n_samples] at 24 000 Hz; none if there is nothing to say.

        Raises:
            SynthesisFailed: the model failed on this text.
            VoiceUnavailable: the file of a voice is missing or damaged.
        """
        style = self._style(weights)
        said = kokoro_symbols.pieces(kokoro_symbols.symbols(sentence, language))
        return np.concatenate([np.zeros(0, np.float32), *(self._run(piece, style, speed) for piece in said)])

    def _run(self, symbols: str, style: npt.NDArray[np.float32], speed: float) -> Samples:
        assert self._session is not None, "load first"
        tokens = [0, *(kokoro_symbols.NUMBERS[symbol] for symbol in symbols), 0]
        feed: dict[str, Any] = {
            "tokens": np.array([tokens], np.int64),
            "style": style[len(symbols) - 1][None],
            "speed": np.array([speed], np.float32),
        }
        try:
            (samples, *_) = self._session.run(None, feed)
        except onnx_errors() as error:
            raise SynthesisFailed(
                f"Kokoro cannot speak this text ({error}); choose another voice."
            ) from error
        return _without_lead(np.asarray(samples, np.float32).ravel())

    def _style(self, weights: Blend) -> npt.NDArray[np.float32]:
        """Return float32[510, 256], the weighted mean of the voices."""
        total = sum(weights.values())
        parts = (self._loaded(name) * np.float32(weight / total) for name, weight in weights.items())
        return np.sum(list(parts), axis=0)

    def _loaded(self, name: str) -> npt.NDArray[np.float32]:
        if name not in self._styles:
            try:
                self._styles[name] = np.fromfile(self._voice_file(name), np.float32).reshape(
                    kokoro_symbols.LIMIT, STYLE_WIDTH
                )
            except (OSError, ValueError) as error:
                raise VoiceUnavailable(f"Kokoro cannot load this voice ({error}); choose another.") from error
        return self._styles[name]

    def _voice_file(self, name: str) -> Path:
        return self._directory / "voices" / f"{name}.bin"


def _without_lead(samples: Samples) -> Samples:
    sounds = np.flatnonzero(np.abs(samples) > _SILENT_PEAK)
    first = int(sounds[0]) if len(sounds) else 0
    return samples[max(0, first - int(LEAD_S * SAMPLE_RATE_HZ)) :]
