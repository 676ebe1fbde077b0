"""Files on a file system that are whole or not there, and that outlast a power failure once they are saved.

Object storage promises both: who reads an object never sees half of it, and what was acknowledged stays.
Django's file storage writes under the file's own name, so who looks meanwhile finds half a file, and leaves
to the kernel when the bytes reach the disk. We forget every other copy of an answer once it is saved.

Source: fsync(2), rename(2), "Ensuring data reaches disk" (LWN 457667).
"""

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files import File
from django.core.files.storage import FileSystemStorage


class LastingFileStorage(FileSystemStorage):
    """Saves as S3 does: a file that is there is replaced in one step.

    A writer that is killed leaves a `.part` beside the file.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_overwrite=True, **options)

    def _save(self, name: str, content: File) -> str:
        """Called by `save`, with a name that is safe.

        Raises:
            OSError: it could not be written, and what was there before still is; or its name could not be
                flushed.
        """
        part = f"{name}.{uuid4().hex}.part"
        path, part_path = Path(self.path(name)), Path(self.path(part))
        try:
            super()._save(part, content)  # type: ignore[misc]  # the stubs lack it
            _flush(part_path)
            part_path.replace(path)
        except BaseException:
            self.delete(part)
            raise
        _flush(path.parent)  # the name; a journal has the directories above before it
        return name


def _flush(path: Path) -> None:
    """Wait until the disk has what the file or directory holds."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
