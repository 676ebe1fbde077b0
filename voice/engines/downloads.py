"""Models that engines need on this machine: which are missing, and how each is fetched from the hub.

    for download in missing(settings.VOICE):
        download.fetch(progress)

Imports no library before something is fetched: every start of the demo asks what is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here, and with the size where it is known."""

WHISPER_FILES: Final = ("config.json", "model.bin", "tokenizer.json")
WHISPER_PATTERNS: Final = [*WHISPER_FILES, "preprocessor_config.json", "vocabulary.*"]
# The sizes that are not Systran's, or not under their own name. Source: faster_whisper.utils, 1.2.1.
WHISPER_REPOSITORIES: Final = {
    "large": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}


@dataclass(frozen=True, slots=True)
class Download:
    """One model: what it is called, and a function that fetches it.

    `fetch` raises EngineUnavailable, OSError, ValueError, or what the hub's HTTP client raises.
    """

    name: str
    fetch: Callable[[Progress], None]


def missing(voice: Mapping[str, Any]) -> list[Download]:
    """The models that `settings.VOICE` configures and that are not here."""
    downloads = []
    if "faster_whisper" in voice["STT_ENGINES"] and not has_whisper_model(voice):
        downloads.append(Download(f"Whisper {voice['WHISPER_MODEL']}", partial(_fetch_whisper, voice)))
    if "piper" in voice["TTS_ENGINES"]:
        downloads += [voice_download(name, voice) for name in _missing_voices(voice)]
    return downloads


def voice_download(name: str, voice: Mapping[str, Any]) -> Download:
    """The Piper voice of that name, such as "fr_FR-siwis-medium"."""
    return Download(f"Piper voice {name}", partial(_fetch_voice, name, voice))


def whisper_repository(model: str) -> str:
    """The hub's repository for a size ("base") or for a repository ("Systran/faster-whisper-base")."""
    if "/" in model:
        return model
    if model.startswith("distil-"):
        name = f"faster-distil-whisper-{model.removeprefix('distil-')}"
    else:
        name = f"faster-whisper-{model}"
    return WHISPER_REPOSITORIES.get(model, f"Systran/{name}")


def has_whisper_model(voice: Mapping[str, Any]) -> bool:
    """Whether the model is off, a directory of its own, or in the cache as the hub's library lays it out."""
    model = voice["WHISPER_MODEL"]
    if not model or Path(model).expanduser().is_dir() or model.startswith((".", "/", "~")):
        return True
    folder = Path(voice["MODELS_DIR"]) / f"models--{whisper_repository(model).replace('/', '--')}"
    main = folder / "refs" / "main"
    if not main.is_file():
        return False
    snapshot = folder / "snapshots" / main.read_text().strip()
    return all((snapshot / name).is_file() for name in WHISPER_FILES)


def _missing_voices(voice: Mapping[str, Any]) -> list[str]:
    """The configured Piper voices of which a file is missing."""
    directory = Path(voice["PIPER_VOICES_DIR"])
    files = ("{}.onnx", "{}.onnx.json")
    names = voice["PIPER_VOICES"]
    return [name for name in names if not all((directory / file.format(name)).is_file() for file in files)]


def _fetch_whisper(voice: Mapping[str, Any], progress: Progress) -> None:
    from huggingface_hub import snapshot_download

    snapshot_download(  # shows its own progress
        whisper_repository(voice["WHISPER_MODEL"]),
        cache_dir=voice["MODELS_DIR"],
        allow_patterns=WHISPER_PATTERNS,
        etag_timeout=voice["HUB_TIMEOUT_S"],
    )


def _fetch_voice(name: str, voice: Mapping[str, Any], progress: Progress) -> None:
    from voice.engines.tts.piper import fetch_voice

    fetch_voice(name, Path(voice["PIPER_VOICES_DIR"]), timeout_s=voice["HUB_TIMEOUT_S"], progress=progress)
