"""Where the weights on this machine came from, and their checksums.

    note(models_dir / "whisper-base" / "model.bin", Note("packages a 1.0 and b 1.0", "MIT", "d01c…"))
    origins("faster_whisper", "base", settings.VOICE)

What is fetched is noted in a small file beside it. The hub's own cache says by its layout where a file came
from. Of all other files only the checksum is known, which a thread makes once for each process.
"""

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from voice.engines import weights

_SNAPSHOT: Final = "snapshots"


@dataclass(frozen=True, slots=True)
class Note:
    """source: in words. licence and sha256: "" if they are not known."""

    source: str
    licence: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """A model that an engine reads, and where it came from."""

    model: str
    source: str
    licence: str
    sha256: str


def note(file: Path, what: Note) -> None:
    """Note where a file of weights came from. A folder that cannot be written goes without."""
    with contextlib.suppress(OSError):
        _note_path(file).write_text(json.dumps(asdict(what), indent=1) + "\n", encoding="utf-8")


def origins(engine: str, model: str, voice: Mapping[str, Any]) -> list[Origin]:
    """The models that an engine reads, with `settings.VOICE`; [] for an engine without files of its own.

    model: as the engine reports it. A checksum that is still being made is "".
    """
    files = _FILES[engine](model, voice) if engine in _FILES else {}
    return [_origin(name, file) for name, file in files.items()]


def sha256_of(file: Path) -> str:
    """The checksum of a file, in hexadecimal digits. Raises OSError."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _whisper(model: str, voice: Mapping[str, Any]) -> dict[str, Path]:
    configured = voice["WHISPER_MODEL"]
    name = configured if Path(configured).name == model else model  # a smaller one, when memory ran out
    directory = weights.whisper_directory(name, Path(voice["MODELS_DIR"])) if name else None
    return {f"Whisper {Path(model).name}": directory / "model.bin"} if directory else {}


def _piper(model: str, voice: Mapping[str, Any]) -> dict[str, Path]:
    folder = voice["PIPER_VOICES_DIR"]
    return {file.stem: file for file in sorted(Path(folder).glob("*.onnx"))} if folder else {}


def _kokoro(model: str, voice: Mapping[str, Any]) -> dict[str, Path]:
    listed = weights.listed()["kokoro"]
    directory = Path(voice["MODELS_DIR"]) / listed.folder
    return {} if listed.missing(directory) else {listed.title: directory / listed.loaded.path}


_FILES: Final[Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Path]]]] = {
    "faster_whisper": _whisper,
    "piper": _piper,
    "kokoro": _kokoro,
}


def _origin(name: str, file: Path) -> Origin:
    found = _noted(file) or _of_hub(file) or Note(f"put there by hand: {file.parent}")
    return Origin(name, found.source, found.licence, found.sha256 or _checksum(file))


def _noted(file: Path) -> Note | None:
    try:
        return Note(**json.loads(_note_path(file).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _note_path(file: Path) -> Path:
    return file.with_name(f"{file.name}.origin.json")


def _of_hub(file: Path) -> Note | None:
    """A file of the hub's cache: models--<owner>--<name>/snapshots/<revision>/<file>, a link to its blob."""
    if file.parent.parent.name != _SNAPSHOT:
        return None
    repository = file.parents[2].name.removeprefix("models--").replace("--", "/")
    return Note(f"model hub: {repository}, revision {file.parent.name[:12]}")


class _Checksum:
    """The checksum of a file, made by a thread of its own."""

    def __init__(self, file: Path) -> None:
        self.sha256 = ""
        threading.Thread(target=self._make, args=(file,), daemon=True, name="checksum").start()

    def _make(self, file: Path) -> None:
        with contextlib.suppress(OSError):
            self.sha256 = sha256_of(file)


def _checksum(file: Path) -> str:
    try:
        state = file.stat()
    except OSError:
        return ""
    return _checksum_of(file, state.st_size, state.st_mtime_ns).sha256


@cache
def _checksum_of(file: Path, size_bytes: int, changed_ns: int) -> _Checksum:
    return _Checksum(file)
