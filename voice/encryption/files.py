"""Files in object storage, encrypted with a data key or, where `key_id` is None, as they are."""

import io
from collections.abc import Iterator
from typing import IO, Final, cast
from uuid import UUID

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from voice.encryption import blocks, keys
from voice.infra import object_storage

READ_BLOCKS: Final = 4
"""Of a file that is read to its end: so many blocks are requested together."""


def save(name: str, content: bytes, *, key_id: UUID | None) -> None:
    """Store a file under exactly this name. Raises OSError, and VoiceError as `keys.of`."""
    if key_id is not None:
        content = blocks.encrypt(content, key=keys.of(key_id), key_id=key_id, name=name)
    default_storage.save(name, ContentFile(content))


def read(name: str, *, key_id: UUID | None) -> bytes:
    """Return what a file holds. Raises FileNotFoundError, DecryptionFailed, and VoiceError as `keys.of`."""
    with default_storage.open(name) as file:
        stored: bytes = file.read()
    if key_id is None:
        return stored
    return blocks.decrypt(stored, key=keys.of(key_id), key_id=key_id, name=name)


def opened(name: str, *, key_id: UUID | None) -> File:
    """Open a file to be read at any place; of an encrypted one only the blocks that are read are fetched.

    Raises as `read`.
    """
    if key_id is None:
        return default_storage.open(name)
    return File(cast("IO[bytes]", EncryptedFile(name, key_id)), name)


def pieces(name: str, size: int, *, key_id: UUID | None) -> Iterator[bytes]:
    """Open a file now, and return its content in pieces of about `size` bytes. Raises as `read`."""
    if key_id is None:
        return object_storage.blocks(name, size)
    return _pieces_of(opened(name, key_id=key_id), READ_BLOCKS * blocks.BLOCK_BYTES)


def _pieces_of(file: File, size: int) -> Iterator[bytes]:
    with file:
        while piece := file.read(size):
            yield piece


class EncryptedFile(io.RawIOBase):
    """An encrypted file, read at any place.

    Its last block is authenticated when it is opened: only then the length is certain.
    """

    def __init__(self, name: str, key_id: UUID) -> None:
        """Raises FileNotFoundError, DecryptionFailed, and VoiceError as `keys.of`."""
        stored_bytes = object_storage.size(name)
        header = object_storage.part(name, 0, min(blocks.HEADER_BYTES, stored_bytes))
        self._name, self._at = name, 0
        self._layout = blocks.Layout(header, stored_bytes, key=keys.of(key_id), key_id=key_id, name=name)
        self._last = self._read_blocks(self._layout.count - 1, self._layout.count)
        self.size = self._layout.content_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return up to `size` bytes. Raises DecryptionFailed."""
        end = self.size if size is None or size < 0 else min(self._at + size, self.size)
        if end <= self._at:
            return b""
        first, last = self._at // blocks.BLOCK_BYTES, (end - 1) // blocks.BLOCK_BYTES
        content = self._read_blocks(first, last + 1)
        skipped = first * blocks.BLOCK_BYTES
        found, self._at = content[self._at - skipped : end - skipped], end
        return found

    def _read_blocks(self, first: int, end: int) -> bytes:
        """Return the content of the blocks [first, end), from one part of the stored file."""
        start = self._layout.place(first)[0]
        stored = object_storage.part(self._name, start, self._layout.place(end - 1)[1])
        places = [self._layout.place(index) for index in range(first, end)]
        cut = [stored[begin - start : stop - start] for begin, stop in places]
        return b"".join(self._layout.decrypted(first + n, block) for n, block in enumerate(cut))
