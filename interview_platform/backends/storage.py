"""Atomic, durable files on a file system.

Object storage promises both: readers never see a partial object, and acknowledged objects persist. Django's
file storage writes under the final name, so a reader may see a partial file, and it leaves the time of the
disk write to the kernel. We delete every other copy of an answer once it is saved.

Source: fsync(2), rename(2), "Ensuring data reaches disk" (LWN 457667).
"""

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files import File
from django.core.files.storage import FileSystemStorage


class LastingFileStorage(FileSystemStorage):
    """Save as S3 does: an existing file is replaced in one step.

    A killed writer leaves a `.part` file beside it.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_overwrite=True, **options)
        self._is_closed = False

    def _close_to_others(self) -> None:
        """Give the directory of all files its mode once: an earlier release left it open to other users."""
        if not self._is_closed and self.directory_permissions_mode is not None:
            Path(self.location).mkdir(parents=True, exist_ok=True)
            Path(self.location).chmod(self.directory_permissions_mode)
            self._is_closed = True

    def _save(self, name: str, content: File) -> str:
        """Save a file under a safe name; called by `save`.

        Raises:
            OSError: the file could not be written, and an earlier one is unchanged; or its name could not be
                flushed.
        """
        self._close_to_others()
        part = f"{name}.{uuid4().hex}.part"
        path, part_path = Path(self.path(name)), Path(self.path(part))
        try:
            super()._save(part, content)  # type: ignore[misc]  # missing in the stubs
            _flush(part_path)
            part_path.replace(path)
        except BaseException:
            self.delete(part)
            raise
        _flush(path.parent)  # flushes the name; the journal has the parent directories already
        return name


def _flush(path: Path) -> None:
    """Wait until the file or directory is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
