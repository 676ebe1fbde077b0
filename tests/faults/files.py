"""Recordings in a directory, as `crowd.Files`, and a small disk that can be full."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


class Directory:
    """The files below MEDIA_ROOT."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, directory: str) -> list[str]:
        """Return the files in `directory`."""
        folder = self._root / directory
        return [f"{directory}/{file.name}" for file in folder.iterdir()] if folder.exists() else []

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return (self._root / name).read_bytes()


@contextlib.contextmanager
def small_disk(place: Path, *, megabytes: int) -> Iterator[None]:
    """Mount a small disk at `place`. Needs root.

    Raises:
        OSError: it cannot be mounted.
    """
    place.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "faults", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise OSError(mounted.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextlib.contextmanager
def full(place: Path) -> Iterator[None]:
    """Fill the disk at `place` while the block runs."""
    filler = place / "filler"
    with filler.open("wb") as file, contextlib.suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(place).free)
    try:
        yield
    finally:
        filler.unlink()
