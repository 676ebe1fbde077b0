"""Kokoro on PyTorch, best on a GPU. The extra `kokoro` brings the package and PyTorch (gigabytes).

English needs spaCy's small English model as well, Japanese and Chinese need the extras of `misaki`; a running
worker fetches none of these. Real-time factor 0.5-0.7 on one CPU core.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from voice.engines.hub import check_hub
from voice.engines.tts.kokoro_voices import VOICES, Blend
from voice.errors import EngineUnavailable, SynthesisFailed, VoiceUnavailable
from voice.types import Samples, Voice

if TYPE_CHECKING:
    from kokoro import KModel, KPipeline

HUB_REPOSITORY: Final = "hexgrad/Kokoro-82M"
WEIGHTS_FILE: Final = "kokoro-v1_0.pth"
_FAILURES: Final = (RuntimeError, ValueError, OSError)  # PyTorch's, Kokoro's and the hub's
ENGLISH_LETTERS: Final = "ab"
ENGLISH_MODEL: Final = "en_core_web_sm"  # Source: hexgrad/misaki, misaki/en.py (G2P.__init__)


class TorchKokoro:
    """See the module. Calls run one at a time: PyTorch uses the whole device for each."""

    def __init__(self, directory: Path | None, *, device: str, hub_timeout_s: float) -> None:
        """directory: config.json, kokoro-v1_0.pth and voices/<name>.pt; None takes them from the hub."""
        self.model = directory.name if directory else HUB_REPOSITORY
        self.device = device
        self._directory = directory
        self._hub_timeout_s = hub_timeout_s
        self._weights: KModel | None = None
        self._pipelines: dict[str, KPipeline] = {}
        self._lock = threading.Lock()

    @staticmethod
    def is_installed() -> bool:
        """Whether the package is there. Imports nothing."""
        return importlib.util.find_spec("kokoro") is not None

    def load(self) -> None:
        """Load the weights; further calls return at once. Languages and voices load when first used.

        Raises:
            EngineUnavailable: the extra is not installed, or the weights are missing and cannot be fetched.
        """
        with self._lock:
            if self._weights is None:
                self._weights = self._opened()

    def voices(self) -> tuple[Voice, ...]:
        """Return all 54 voices; from a directory those with a file."""
        if self._directory is None:
            return VOICES
        return tuple(voice for voice in VOICES if self._voice_file(voice.name).is_file())

    def spoken(self, sentence: str, *, weights: Blend, language: str, speed: float) -> Samples:
        """Return float32[n_samples] at 24 000 Hz; none if there is nothing to say.

        language: ignored, as the name of the first voice says it.

        Raises:
            SynthesisFailed: the model failed on this text.
            VoiceUnavailable: a voice, or what its language needs, is missing.
        """
        with self._lock:
            pipeline = self._pipeline(next(iter(weights))[0])
            style = self._style(pipeline, weights)
            try:
                results = list(pipeline(sentence, voice=style, speed=speed))
            except _FAILURES as error:
                raise SynthesisFailed(
                    f"Kokoro cannot speak this text ({error}); choose another voice."
                ) from error
        parts = [result.audio.numpy(force=True) for result in results if result.audio is not None]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _style(self, pipeline: KPipeline, weights: Blend) -> Any:
        """Return FloatTensor[510, 1, 256]: the style of the voice or blend, for each length of a text."""
        total = sum(weights.values())
        try:
            return sum(
                pipeline.load_single_voice(self._voice_source(name)) * (weight / total)
                for name, weight in weights.items()
            )
        except (*_FAILURES, EOFError, UnpicklingError) as error:  # the last two: truncated files
            raise VoiceUnavailable(f"Kokoro cannot load this voice ({error}); choose another.") from error

    def _pipeline(self, letter: str) -> KPipeline:
        """Return the pronunciation rules of a language, over the shared weights."""
        if letter not in self._pipelines:
            kokoro = _kokoro()
            # misaki would let pip fetch it, and end the thread if that fails
            if letter in ENGLISH_LETTERS and importlib.util.find_spec(ENGLISH_MODEL) is None:
                raise VoiceUnavailable(
                    f"Kokoro's English needs one more package: python -m spacy download {ENGLISH_MODEL}"
                )
            try:
                self._pipelines[letter] = kokoro.KPipeline(
                    letter, repo_id=HUB_REPOSITORY, model=self._weights
                )
            except ImportError as error:
                raise VoiceUnavailable(
                    f"Kokoro needs one more package for this language ({error})."
                ) from error
        return self._pipelines[letter]

    def _opened(self) -> KModel:
        kokoro = _kokoro()
        import torch

        if self.device == "auto":
            self.device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            weights: KModel = kokoro.KModel(repo_id=HUB_REPOSITORY, **self._files()).to(self.device).eval()
        except (RuntimeError, OSError, KeyError, AssertionError) as error:
            raise EngineUnavailable(
                f"Kokoro cannot be loaded on {self.device} ({error}); check KOKORO_MODEL and KOKORO_DEVICE."
            ) from error
        return weights

    def _files(self) -> dict[str, str]:
        """Return where `KModel` finds its files: the directory, else the hub's cache, else the hub."""
        if self._directory is not None:
            files = {"config": self._directory / "config.json", "model": self._directory / WEIGHTS_FILE}
            if missing := [str(path) for path in files.values() if not path.is_file()]:
                raise EngineUnavailable(f"{' and '.join(missing)} missing; copy them from {HUB_REPOSITORY}.")
            return {key: str(path) for key, path in files.items()}
        self._check_hub_unless_cached("config.json", WEIGHTS_FILE)
        return {}

    def _check_hub_unless_cached(self, *names: str) -> None:
        from huggingface_hub import try_to_load_from_cache

        if not all(isinstance(try_to_load_from_cache(HUB_REPOSITORY, name), str) for name in names):
            check_hub(self._hub_timeout_s)

    def _voice_source(self, name: str) -> str:
        if self._directory is not None:
            return str(self._voice_file(name))
        try:
            self._check_hub_unless_cached(f"voices/{name}.pt")
        except EngineUnavailable as error:
            raise VoiceUnavailable(str(error)) from error
        return name

    def _voice_file(self, name: str) -> Path:
        assert self._directory is not None
        return self._directory / "voices" / f"{name}.pt"


def _kokoro() -> Any:
    try:
        import kokoro
    except ImportError as error:
        raise EngineUnavailable(
            "Kokoro is not here: fetch its ONNX model (fetch_models), or install this project with its "
            "extra [kokoro]."
        ) from error
    return kokoro
