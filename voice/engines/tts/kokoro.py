"""Kokoro 82M: 54 neural voices of 8 languages, as `kokoro_torch` (GPU) or as `kokoro_onnx` (CPU).

    kokoro = Kokoro(onnx_dir="models/kokoro")
    kokoro.load()
    for chunk in kokoro.synthesize("Hello.", voice="kokoro:af_heart", language="en"): ...

With KOKORO_MODEL the files in that directory decide which of the two runs. Without it PyTorch runs where the
package `kokoro` is installed, else ONNX Runtime with the files in `onnx_dir`. There is no German voice.

Voices blend: "kokoro:af_heart+af_bella" is the mean of the two, "kokoro:af_heart:0.7+af_bella:0.3" a weighted
one; the language is that of the first. Weights and voices: Apache-2.0 (hexgrad/Kokoro-82M).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from voice.engines.base import SteadyEngine, checked_speed, matching_voice
from voice.engines.tts.kokoro_onnx import OnnxKokoro
from voice.engines.tts.kokoro_torch import TorchKokoro
from voice.engines.tts.kokoro_voices import SAMPLE_RATE_HZ, Blend, blend_of
from voice.errors import SynthesisFailed
from voice.text.sentences import split_sentences
from voice.types import SpeechChunk, Voice


class Kokoro(SteadyEngine):
    """See the module."""

    name = "kokoro"

    def __init__(
        self, model_dir: str = "", *, onnx_dir: str = "", device: str = "auto", hub_timeout_s: float = 5.0
    ) -> None:
        """model_dir: files of either runtime; "" takes those in `onnx_dir` or, for PyTorch, the hub's."""
        own = Path(model_dir) if model_dir else None
        self._torch = TorchKokoro(own, device=device, hub_timeout_s=hub_timeout_s)
        self._onnx = OnnxKokoro(own or Path(onnx_dir)) if own or onnx_dir else None
        self._has_own_files = own is not None
        self._loaded: TorchKokoro | OnnxKokoro | None = None
        self.model, self.device = self._runtime().model, self._runtime().device

    def load(self) -> None:
        """Load the weights; further calls return at once. Languages and voices load when first used.

        Raises:
            EngineUnavailable: neither runtime has what it needs; the message says what to do.
        """
        runtime = self._runtime()
        runtime.load()
        self.model, self.device, self._loaded = runtime.model, runtime.device, runtime

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices of the runtime that is there; none without one. Loads nothing."""
        runtime = self._runtime()
        if runtime is self._torch and not TorchKokoro.is_installed():
            return ()
        return runtime.voices()

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Iterator[SpeechChunk]:
        """See `SynthesisEngine.synthesize`. Ignores `emotion`, and missing voices of a blend."""
        self.load()
        known = self.voices()
        chosen = matching_voice(known, voice=voice, language=language)
        sentences = split_sentences(text, chosen.language)
        if not sentences:
            raise SynthesisFailed("There is no text to speak.")
        weights = blend_of(chosen.id, {each.name for each in known}) or {chosen.name: 1.0}
        return self._chunks(sentences, weights, chosen.language, checked_speed(speed))

    def _chunks(
        self, sentences: list[str], weights: Blend, language: str, speed: float
    ) -> Iterator[SpeechChunk]:
        for sentence in sentences:
            samples = self._runtime().spoken(sentence, weights=weights, language=language, speed=speed)
            if len(samples):
                loudest = max(1.0, float(np.abs(samples).max()))
                yield SpeechChunk((samples / loudest).astype(np.float32), SAMPLE_RATE_HZ, sentence)

    def _runtime(self) -> TorchKokoro | OnnxKokoro:
        """Return the runtime in use, else the one whose files or package are there now."""
        if self._loaded:
            return self._loaded
        is_wanted = self._has_own_files or not TorchKokoro.is_installed()
        return self._onnx if self._onnx and is_wanted and self._onnx.is_there() else self._torch
