"""Create engines from settings: configured names, in order, become engines that are not loaded yet.

    config = EngineConfig.from_settings(settings.VOICE)
    for engine in recognition_engines(config):
        engine.load()

Creating an engine imports no model library and opens no model, so it is safe in any process. To add an
engine, add one file and one line in `_RECOGNITION` or `_SYNTHESIS`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from voice.engines.base import (
    DiarizationEngine,
    EndOfTurnModel,
    RecognitionEngine,
    SynthesisEngine,
)
from voice.engines.cloud.account import CloudAccount, accounts_of
from voice.engines.cloud.vendors.aws import AwsSynthesis
from voice.engines.cloud.vendors.aws_transcribe import AwsRecognition
from voice.engines.cloud.vendors.azure import AzureRecognition, AzureSynthesis
from voice.engines.cloud.vendors.deepgram import DeepgramRecognition, DeepgramSynthesis
from voice.engines.cloud.vendors.elevenlabs import ElevenLabsRecognition, ElevenLabsSynthesis
from voice.engines.cloud.vendors.google import GoogleRecognition, GoogleSynthesis
from voice.engines.cloud.vendors.groq import GroqRecognition, GroqSynthesis
from voice.engines.cloud.vendors.openai_compatible import OpenAIRecognition, OpenAISynthesis
from voice.engines.stt.diarizer import Diarizer
from voice.engines.stt.faster_whisper import LANGUAGES, FasterWhisper
from voice.engines.stt.pocketsphinx import PocketSphinx
from voice.engines.tts import chatterbox
from voice.engines.tts.chatterbox import Chatterbox, References
from voice.engines.tts.espeak import Espeak
from voice.engines.tts.espeak import ipa as pronunciation
from voice.engines.tts.kokoro import Kokoro
from voice.engines.tts.kokoro_voices import is_blend
from voice.engines.tts.piper import Piper
from voice.engines.vad.silero import SileroVad
from voice.engines.vad.smart_turn import SmartTurn

__all__ = [
    "CLONING",
    "LANGUAGES",
    "LAST_RESORT",
    "EngineConfig",
    "diarizer",
    "end_of_turn_model",
    "is_blend",
    "pronunciation",
    "recognition_engines",
    "recognition_names",
    "synthesis_engines",
    "voice_activity_detector",
]


@dataclass(frozen=True, slots=True)
class Cloning:
    """The engine that clones voices: its name, the languages they speak, the rate of what they say."""

    engine: str
    languages: Collection[str]
    sample_rate_hz: int


LAST_RESORT: Final = "pocketsphinx"
"""The recognition engine whose texts are too often wrong to judge anything by."""
CLONING: Final = Cloning("chatterbox", chatterbox.LANGUAGES, chatterbox.SAMPLE_RATE_HZ)
DIARIZATION: Final = ("diarization_segmentation_model", "diarization_embedding_model")


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The keys of `settings.VOICE` that concern engines, in lower case."""

    stt_engines: tuple[str, ...] = ("faster_whisper", "pocketsphinx")
    tts_engines: tuple[str, ...] = ("piper", "kokoro", "espeak")
    whisper_model: str = "base"
    """Hub name ("base", "large-v3", "Systran/faster-whisper-small") or a directory; "" leaves Whisper out."""
    whisper_device: str = "auto"
    whisper_compute_type: str = ""
    """CTranslate2's name; "" is int8 on CPU and float16 on a GPU."""
    whisper_smaller_models: tuple[str, ...] = ()
    """Models to use instead when memory runs out, largest first; empty: Whisper's own smaller sizes."""
    engine_deadline_s: float = 60.0
    """A model that takes longer for one batch, each item at most 30 s of speech, is considered hung."""
    piper_voices_dir: str = ""
    kokoro_model: str = ""
    """A directory with config.json, kokoro-v1_0.pth and voices/*.pt, or with kokoro-v1.0*.onnx and
    voices/*.bin; "" is the hub's hexgrad/Kokoro-82M, or the folder "kokoro" of `models_dir`."""
    kokoro_device: str = "auto"
    chatterbox_model: str = ""
    """A directory with the files of `chatterbox.WEIGHTS`; "" is the hub's ResembleAI/chatterbox."""
    chatterbox_device: str = "auto"
    references: References | None = None
    """The source of the reference recordings of cloned voices."""
    models_dir: str = ""
    """Cache for downloads; "" is the hub client's own."""
    smart_turn_model: str = ""
    """An ONNX file; "" is the one in the pipecat-ai package, where that is installed."""
    diarization_segmentation_model: str = ""
    diarization_embedding_model: str = ""
    hub_timeout_s: float = 5.0
    stt_slots: int = 1
    batch_size: int = 8
    batch_wait_ms: int = 20
    cloud: Mapping[str, CloudAccount] = field(default_factory=dict)
    """Keys, addresses and models of vendors, by vendor."""

    @classmethod
    def from_settings(cls, voice: Mapping[str, Any], *, references: References | None = None) -> EngineConfig:
        """Create from `settings.VOICE`; keys of other parts of the service are ignored.

        references: the source of cloned voices, for a process that synthesises.
        """
        known = {field.name for field in fields(cls)}
        values = {key.lower(): value for key, value in voice.items() if key.lower() in known}
        for key in ("stt_engines", "tts_engines", "whisper_smaller_models"):
            if key in values:
                values[key] = tuple(values[key])
        for key in ("piper_voices_dir", "models_dir", "smart_turn_model", *DIARIZATION):
            if key in values:
                values[key] = str(values[key] or "")
        if "cloud" in values:
            values["cloud"] = accounts_of(values["cloud"])
        return cls(**values, references=references)

    def account(self, vendor: str) -> CloudAccount:
        """Return the account with `vendor`; without a key if none is configured."""
        return self.cloud.get(vendor) or CloudAccount(vendor)


def _faster_whisper(config: EngineConfig) -> FasterWhisper:
    return FasterWhisper(
        config.whisper_model,
        device=config.whisper_device,
        compute_type=config.whisper_compute_type,
        slots=config.stt_slots,
        models_dir=config.models_dir,
        hub_timeout_s=config.hub_timeout_s,
        batch_size=config.batch_size,
        batch_wait_ms=config.batch_wait_ms,
        smaller=config.whisper_smaller_models,
        deadline_s=config.engine_deadline_s,
        vad=voice_activity_detector(),
    )


def _chatterbox(config: EngineConfig) -> Chatterbox:
    return Chatterbox(
        config.chatterbox_model,
        device=config.chatterbox_device,
        hub_timeout_s=config.hub_timeout_s,
        references=config.references,
    )


def _kokoro(config: EngineConfig) -> Kokoro:
    return Kokoro(
        config.kokoro_model,
        onnx_dir=str(Path(config.models_dir, "kokoro")) if config.models_dir else "",
        device=config.kokoro_device,
        hub_timeout_s=config.hub_timeout_s,
    )


_RECOGNITION: Final[Mapping[str, Callable[[EngineConfig], RecognitionEngine]]] = {
    "faster_whisper": _faster_whisper,
    "pocketsphinx": lambda config: PocketSphinx(),
    "openai": lambda config: OpenAIRecognition(config.account("openai")),
    "groq": lambda config: GroqRecognition(config.account("groq")),
    "deepgram": lambda config: DeepgramRecognition(config.account("deepgram")),
    "elevenlabs": lambda config: ElevenLabsRecognition(config.account("elevenlabs")),
    "aws": lambda config: AwsRecognition(config.account("aws")),
    "azure": lambda config: AzureRecognition(config.account("azure")),
    "google": lambda config: GoogleRecognition(config.account("google")),
}
_SYNTHESIS: Final[Mapping[str, Callable[[EngineConfig], SynthesisEngine]]] = {
    "piper": lambda config: Piper(config.piper_voices_dir),
    "kokoro": _kokoro,
    "chatterbox": _chatterbox,
    "espeak": lambda config: Espeak(),
    "openai": lambda config: OpenAISynthesis(config.account("openai")),
    "groq": lambda config: GroqSynthesis(config.account("groq")),
    "deepgram": lambda config: DeepgramSynthesis(config.account("deepgram")),
    "elevenlabs": lambda config: ElevenLabsSynthesis(config.account("elevenlabs")),
    "aws": lambda config: AwsSynthesis(config.account("aws")),
    "azure": lambda config: AzureSynthesis(config.account("azure")),
    "google": lambda config: GoogleSynthesis(config.account("google")),
}


def recognition_engines(config: EngineConfig) -> tuple[RecognitionEngine, ...]:
    """Return the engines of `config.stt_engines`, in order, not loaded; Whisper only if a model is set.

    Raises:
        ValueError: a name is not an engine; the message lists the known names.
    """
    return _engines(recognition_names(config), _RECOGNITION, "STT_ENGINES", config)


def recognition_names(config: EngineConfig) -> tuple[str, ...]:
    """The names of `recognition_engines`, in order."""
    return tuple(n for n in config.stt_engines if n != "faster_whisper" or config.whisper_model)


def synthesis_engines(config: EngineConfig) -> tuple[SynthesisEngine, ...]:
    """Return the engines of `config.tts_engines`, in order, not loaded.

    Raises:
        ValueError: a name is not an engine; the message lists the known names.
    """
    return _engines(config.tts_engines, _SYNTHESIS, "TTS_ENGINES", config)


@cache
def voice_activity_detector() -> SileroVad:
    """The detector of this process: whoever loads it first loads it for all."""
    return SileroVad()


def end_of_turn_model(config: EngineConfig) -> EndOfTurnModel:
    """The semantic model of `config.smart_turn_model`, not loaded."""
    return SmartTurn(config.smart_turn_model)


def diarizer(config: EngineConfig) -> DiarizationEngine:
    """The engine that tells speakers apart, not loaded."""
    return Diarizer(config.diarization_segmentation_model, config.diarization_embedding_model)


Engine = TypeVar("Engine")


def _engines(
    names: tuple[str, ...],
    factories: Mapping[str, Callable[[EngineConfig], Engine]],
    setting: str,
    config: EngineConfig,
) -> tuple[Engine, ...]:
    if unknown := [name for name in names if name not in factories]:
        raise ValueError(f"{setting} names {', '.join(unknown)}; known engines are {', '.join(factories)}.")
    return tuple(factories[name](config) for name in names)
