"""Piper: neural voices on CPU. A voice is two files in one directory: `<name>.onnx` and `<name>.onnx.json`.

    fetch_voice("de_DE-thorsten-medium", Path("voices"))      # once, from the hub
    piper = Piper("voices")
    for chunk in piper.synthesize("Guten Tag. Wie geht es?", voice=None, language="de"):
        play(chunk.samples)

The directory is listed to find voices; a voice is loaded when first used and then kept (60-110 MB each). A
voice of several people uses its first speaker, or the one that the id names, by name or by number:
"piper:en_US-libritts-high#p3922".
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from voice.engines.base import SteadyEngine, checked_speed, matching_voice
from voice.engines.hub import Progress, check_hub, fetch_file
from voice.engines.onnx_models import one_thread_session, onnx_errors
from voice.errors import EngineUnavailable, SynthesisFailed, VoiceUnavailable
from voice.text.languages import hyphenated
from voice.text.sentences import split_sentences
from voice.types import Samples, SpeechChunk, Voice

if TYPE_CHECKING:
    from piper import PiperVoice, SynthesisConfig

# Source: rhasspy/piper-voices, VOICES.md: <language>_<REGION>-<name>-<quality>
VOICE_NAME: Final = re.compile(
    r"(?P<code>(?P<family>[a-z]{2,3})_[A-Z]{2})-(?P<name>[\w+]+)-(?P<quality>x_low|low|medium|high)"
)
HUB_REPOSITORY: Final = "rhasspy/piper-voices"


@dataclass(frozen=True, slots=True)
class _Files:
    voice: Voice
    model: Path


class Piper(SteadyEngine):
    """See the module. Thread-safe: one ONNX session a voice, each call on its caller's thread."""

    name = "piper"
    device = "cpu"

    def __init__(self, voices_dir: Path | str) -> None:
        self._directory = Path(voices_dir)
        self.model = self._directory.name or "piper"
        self._loaded: dict[str, PiperVoice] = {}
        self._loading = threading.Lock()

    def load(self) -> None:
        """Check that a voice and the package exist; voices themselves load when first used.

        Raises:
            EngineUnavailable: no voice in the directory, or the package is missing.
        """
        self._files_or_raise()
        _piper()

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices now in the directory, sorted by name."""
        return tuple(files.voice for files in self._files())

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Iterator[SpeechChunk]:
        """See `SynthesisEngine.synthesize`. `emotion` and an unknown speaker are ignored."""
        models = {files.voice: files.model for files in self._files_or_raise()}
        chosen = matching_voice(tuple(models), voice=voice, language=language)
        model_id, _, speaker = chosen.id.partition("#")
        model = next(model for known, model in models.items() if known.id == model_id)
        sentences = split_sentences(text, chosen.language)
        if not sentences:
            raise SynthesisFailed("There is no text to speak.")
        piper_voice = self._voice(model)
        settings = _settings(piper_voice, speaker, checked_speed(speed))
        return self._chunks(piper_voice, sentences, settings)

    def _files(self) -> list[_Files]:
        models = sorted(self._directory.glob("*.onnx")) if self._directory.name else []
        return [_Files(_described(model), model) for model in models if _config_path(model).is_file()]

    def _files_or_raise(self) -> list[_Files]:
        if files := self._files():
            return files
        raise EngineUnavailable(
            f"There is no Piper voice in {self._directory.absolute()}; put <name>.onnx and <name>.onnx.json "
            "there (PIPER_VOICES_DIR)."
        )

    def _voice(self, model: Path) -> PiperVoice:
        with self._loading:
            if model.name not in self._loaded:
                self._loaded[model.name] = _opened(model)
            return self._loaded[model.name]

    def _chunks(
        self, piper_voice: PiperVoice, sentences: list[str], settings: SynthesisConfig
    ) -> Iterator[SpeechChunk]:
        for sentence in sentences:
            samples = _spoken(piper_voice, sentence, settings)
            if len(samples):  # a sentence of signs alone has no sound
                yield SpeechChunk(samples, piper_voice.config.sample_rate, sentence)


def fetch_voice(
    name: str, directory: Path, *, timeout_s: float = 5.0, progress: Progress | None = None
) -> Path:
    """Fetch the voice `name`, as "de_DE-thorsten-medium", from the hub to `directory`; return its path.

    A voice that is already there is left alone.
    progress: called with the model's bytes done and bytes in total.

    Raises:
        EngineUnavailable: no such voice, or the hub does not answer within `timeout_s`.
    """
    parts = VOICE_NAME.fullmatch(name)
    if not parts:
        raise EngineUnavailable(f"{name!r} is no Piper voice; names look like en_US-lessac-medium.")
    model = directory / f"{name}.onnx"
    if model.is_file() and _config_path(model).is_file():
        return model
    check_hub(timeout_s)
    folder = f"{parts['family']}/{parts['code']}/{parts['name']}/{parts['quality']}"
    # The model comes last: a voice is complete when both files exist.
    for path, report in ((_config_path(model), None), (model, progress)):
        address = f"{HUB_REPOSITORY}/resolve/main/{folder}/{path.name}"
        fetch_file(address, path, timeout_s=timeout_s, progress=report)
    return model


def _config_path(model: Path) -> Path:
    return model.with_name(f"{model.name}.json")


def _config(model: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(_config_path(model).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise VoiceUnavailable(
            f"{_config_path(model)} cannot be read ({error}); fetch the voice again."
        ) from error


def _described(model: Path) -> Voice:
    try:
        config = _config(model)
    except VoiceUnavailable:  # reported when the voice is used; until then its name is enough
        config = {}
    code = config.get("language", {}).get("code") or model.stem.split("-", 1)[0]
    name = model.stem.removeprefix(f"{code}-")
    rate_hz = int(config.get("audio", {}).get("sample_rate", 22_050))
    speakers = _speakers(config) if config.get("num_speakers", 1) > 1 else ()
    return Voice(f"piper:{model.stem}", hyphenated(code), name, "piper", "neural", rate_hz, speakers)


def _speakers(config: dict[str, Any]) -> tuple[str, ...]:
    """Return the speakers' names in the order of their numbers, or the numbers if they have no names."""
    numbers = config.get("speaker_id_map") or {str(i): i for i in range(config["num_speakers"])}
    return tuple(sorted(numbers, key=lambda speaker: numbers[speaker]))


def _piper() -> Any:
    try:
        import piper
    except ImportError as error:
        raise EngineUnavailable("The Python package 'piper-tts' is missing; install it.") from error
    return piper


def _opened(model: Path) -> PiperVoice:
    piper = _piper()
    try:
        config = piper.PiperConfig.from_dict(_config(model))
    except (KeyError, TypeError, ValueError) as error:
        raise VoiceUnavailable(
            f"{_config_path(model)} is no Piper voice ({error}); fetch it again."
        ) from error
    try:
        session = one_thread_session(str(model))
    except EngineUnavailable as error:
        raise VoiceUnavailable(str(error)) from error
    voice: PiperVoice = piper.PiperVoice(session=session, config=config, download_dir=model.parent)
    return voice


def _settings(piper_voice: PiperVoice, speaker: str, speed: float) -> SynthesisConfig:
    config = piper_voice.config
    number = config.speaker_id_map.get(
        speaker, int(speaker) if speaker.isascii() and speaker.isdigit() else None
    )
    settings: SynthesisConfig = _piper().SynthesisConfig(
        speaker_id=number if number is not None and number < config.num_speakers else None,
        length_scale=config.length_scale / speed,
    )
    return settings


def _spoken(piper_voice: PiperVoice, sentence: str, settings: SynthesisConfig) -> Samples:
    """Return float32[n_samples], peaking at full scale."""
    failures: tuple[type[Exception], ...] = (*onnx_errors(), RuntimeError, ValueError)  # and the phonemizer's
    try:
        parts = [chunk.audio_float_array for chunk in piper_voice.synthesize(sentence, settings)]
    except failures as error:
        raise SynthesisFailed(
            f"Piper cannot speak this text ({error}); shorten it or choose another voice."
        ) from error
    return np.concatenate([np.atleast_1d(part) for part in parts]) if parts else np.zeros(0, np.float32)
