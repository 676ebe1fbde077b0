"""Kokoro 82M: 54 neural voices of 8 languages, best on a GPU. The extra `kokoro` brings PyTorch (gigabytes).

    kokoro = Kokoro()                     # weights from the hub, or Kokoro("directory") with copied ones
    kokoro.load()
    for chunk in kokoro.synthesize("Hello.", voice="kokoro:af_heart", language="en"): ...

Voices blend: "kokoro:af_heart+af_bella" is the mean of the two, "kokoro:af_heart:0.7+af_bella:0.3" a weighted
one; the language is that of the first. English needs spaCy's small English model as well, Japanese and
Chinese need the extras of `misaki`; a running worker fetches none of these.

Real-time factor 0.5-0.7 on one CPU core, so on CPU it is a fallback for short texts only.
"""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from voice.engines.base import SteadyEngine, checked_speed, matching_voice
from voice.engines.hub import check_hub
from voice.errors import EngineUnavailable, SynthesisFailed, VoiceUnavailable
from voice.text.sentences import split_sentences
from voice.types import Samples, SpeechChunk, Voice

if TYPE_CHECKING:
    from kokoro import KModel, KPipeline

HUB_REPOSITORY: Final = "hexgrad/Kokoro-82M"
WEIGHTS_FILE: Final = "kokoro-v1_0.pth"
SAMPLE_RATE_HZ: Final = 24_000
_FAILURES: Final = (RuntimeError, ValueError, OSError)  # PyTorch's, Kokoro's and the hub's
ENGLISH_LETTERS: Final = "ab"
ENGLISH_MODEL: Final = "en_core_web_sm"  # Source: hexgrad/misaki, misaki/en.py (G2P.__init__)

# Kokoro's letter for a language (the first of a voice's name), its tag, and its voices, best first. Source:
# hexgrad/Kokoro-82M, VOICES.md (v1.0)
_VOICES: Final = {
    "en-US": """
        af_heart af_bella af_nicole af_aoede af_kore af_sarah af_alloy af_nova af_sky af_jessica af_river
        am_fenrir am_michael am_puck am_echo am_eric am_liam am_onyx am_santa am_adam
    """,
    "en-GB": "bf_emma bf_isabella bf_alice bf_lily bm_george bm_fable bm_lewis bm_daniel",
    "es": "ef_dora em_alex em_santa",
    "fr-FR": "ff_siwis",
    "hi": "hf_alpha hf_beta hm_omega hm_psi",
    "it": "if_sara im_nicola",
    "ja": "jf_alpha jf_gongitsune jf_tebukuro jf_nezumi jm_kumo",
    "pt-BR": "pf_dora pm_alex pm_santa",
    "zh": "zf_xiaobei zf_xiaoni zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi zm_yunxia zm_yunyang",
}
VOICES: Final = tuple(
    Voice(f"kokoro:{name}", language, name, "kokoro", "neural", SAMPLE_RATE_HZ)
    for language, names in _VOICES.items()
    for name in names.split()
)


_WEIGHT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


class Kokoro(SteadyEngine):
    """See the module. Calls run one at a time: PyTorch uses the whole device for each."""

    name = "kokoro"

    def __init__(self, model_dir: str = "", *, device: str = "auto", hub_timeout_s: float = 5.0) -> None:
        """model_dir: config.json, kokoro-v1_0.pth and voices/<name>.pt; "" takes them from the hub."""
        self.model = Path(model_dir).name if model_dir else HUB_REPOSITORY
        self.device = device
        self._directory = Path(model_dir) if model_dir else None
        self._hub_timeout_s = hub_timeout_s
        self._weights: KModel | None = None
        self._pipelines: dict[str, KPipeline] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the weights; further calls return at once. Languages and voices load when first used.

        Raises:
            EngineUnavailable: the extra is not installed, or the weights are missing and cannot be fetched.
        """
        with self._lock:
            if self._weights is None:
                self._weights = self._opened()

    def voices(self) -> tuple[Voice, ...]:
        """Return all 54 voices (from a directory: those with a file) if the extra is installed, else none."""
        if importlib.util.find_spec("kokoro") is None:
            return ()
        if self._directory is None:
            return VOICES
        return tuple(voice for voice in VOICES if self._voice_file(voice.name).is_file())

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Iterator[SpeechChunk]:
        """See `SynthesisEngine.synthesize`. Ignores `emotion`, and missing voices of a blend."""
        self.load()
        chosen = matching_voice(self.voices(), voice=voice, language=language)
        sentences = split_sentences(text, chosen.language)
        if not sentences:
            raise SynthesisFailed("There is no text to speak.")
        weights = blend_of(chosen.id, {known.name for known in self.voices()}) or {chosen.name: 1.0}
        return self._chunks(weights, sentences, checked_speed(speed))

    def _chunks(self, weights: dict[str, float], sentences: list[str], speed: float) -> Iterator[SpeechChunk]:
        for sentence in sentences:
            samples = self._spoken(weights, sentence, speed)
            if len(samples):
                yield SpeechChunk(samples, SAMPLE_RATE_HZ, sentence)

    def _spoken(self, weights: dict[str, float], sentence: str, speed: float) -> Samples:
        """Return float32[n_samples] at 24 000 Hz."""
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
        return np.clip(np.concatenate(parts), -1, 1).astype(np.float32) if parts else np.zeros(0, np.float32)

    def _style(self, pipeline: KPipeline, weights: dict[str, float]) -> Any:
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


def blend_of(voice_id: str, known: Collection[str]) -> dict[str, float]:
    """Return each voice's weight in "kokoro:af_heart:0.7+af_bella:0.3"; a part without a weight has 1.

    Parts that are not `known`, or whose weight is not a number above 0, are left out.
    """
    weights: dict[str, float] = {}
    for part in voice_id.partition(":")[2].split("+"):
        name, _, weight = part.partition(":")
        if name in known and (found := _weight(weight)):
            weights[name] = weights.get(name, 0.0) + found
    return weights


def is_blend(voice_id: str, voices: Iterable[Voice]) -> bool:
    """Whether every part of it is one of these voices, and Kokoro's, with a usable weight."""
    names = {voice.name for voice in voices if voice.engine == "kokoro"}
    parts = voice_id.removeprefix("kokoro:").split("+")
    return voice_id.startswith("kokoro:") and all(blend_of(f"kokoro:{part}", names) for part in parts)


def _weight(text: str) -> float:
    if not text:
        return 1.0
    return float(text) if _WEIGHT.fullmatch(text) else 0.0


def _kokoro() -> Any:
    try:
        import kokoro
    except ImportError as error:
        raise EngineUnavailable(
            "Kokoro is not installed; install this project with its extra [kokoro]."
        ) from error
    return kokoro
