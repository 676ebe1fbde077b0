"""The format of an encrypted file: blocks that are decrypted each by itself, so any range can be read. Pure.

    file    header, block 0, block 1, ...
    header  b"IPE1", id of the data key (16 bytes), salt (32 bytes)
    block   AES-256-GCM of 65,536 bytes, with its tag of 16 bytes; the last one may be shorter

Each file has a key of its own: HKDF-SHA256 of the data key, with the salt and the name of the file. So a file
under another name cannot be read. The nonce is the number of the block and whether it is the last one. So a
block that was changed, moved, dropped or cut off is refused, and nothing before its authentication is used.

Source: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance" (STREAM), CRYPTO 2015; NIST SP 800-38D; RFC 5869.
"""

import secrets
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from voice.errors import DecryptionFailed

BLOCK_BYTES: Final = 64 * 1024
"""Of the content."""
MAGIC: Final = b"IPE1"
SALT_BYTES: Final = 32
HEADER_BYTES: Final = len(MAGIC) + 16 + SALT_BYTES
TAG_BYTES: Final = 16
STORED_BYTES: Final = BLOCK_BYTES + TAG_BYTES
"""Of a block, as it is stored."""


def encrypt(content: bytes, *, key: bytes, key_id: UUID, name: str) -> bytes:
    """Return the encrypted file. key: the data key, 32 bytes; key_id: its id; name: of the file."""
    header = MAGIC + key_id.bytes + secrets.token_bytes(SALT_BYTES)
    cipher = _cipher(header, key, name)
    starts = range(0, max(len(content), 1), BLOCK_BYTES)  # an empty file has one block
    blocks = [
        cipher.encrypt(
            _nonce(index, is_last=index == len(starts) - 1), content[at : at + BLOCK_BYTES], header
        )
        for index, at in enumerate(starts)
    ]
    return b"".join([header, *blocks])


def decrypt(stored: bytes, *, key: bytes, key_id: UUID, name: str) -> bytes:
    """Return the content of a whole file. Raises DecryptionFailed."""
    layout = Layout(stored[:HEADER_BYTES], len(stored), key=key, key_id=key_id, name=name)
    return b"".join(
        layout.decrypted(index, stored[slice(*layout.place(index))]) for index in range(layout.count)
    )


class Layout:
    """Where the blocks of one file are, and what they hold."""

    def __init__(self, header: bytes, stored_bytes: int, *, key: bytes, key_id: UUID, name: str) -> None:
        """stored_bytes: of the whole file. Raises DecryptionFailed: it is no such file, or of another key."""
        body = stored_bytes - HEADER_BYTES
        if header[: len(MAGIC)] != MAGIC or body < TAG_BYTES:
            raise DecryptionFailed(f"{name} is not encrypted, or cut off, but it was written encrypted.")
        if header[len(MAGIC) : len(MAGIC) + 16] != key_id.bytes:
            raise DecryptionFailed(f"{name} was encrypted with another key.")
        self.count = -(-body // STORED_BYTES)
        self.content_bytes = body - self.count * TAG_BYTES
        self._header, self._stored_bytes, self._name = header, stored_bytes, name
        self._cipher = _cipher(header, key, name)

    def place(self, index: int) -> tuple[int, int]:
        """Return the bytes [start, end) of the file that hold a block."""
        start = HEADER_BYTES + index * STORED_BYTES
        return start, min(start + STORED_BYTES, self._stored_bytes)

    def decrypted(self, index: int, stored: bytes) -> bytes:
        """Return the content of a block. Raises DecryptionFailed."""
        try:
            return self._cipher.decrypt(_nonce(index, is_last=index == self.count - 1), stored, self._header)
        except InvalidTag:
            raise DecryptionFailed(
                f"Block {index} of {self._name} is not what was written: take the file from another copy."
            ) from None


def _cipher(header: bytes, key: bytes, name: str) -> AESGCM:
    salt, about = header[-SALT_BYTES:], b"file " + name.encode()
    return AESGCM(HKDF(SHA256(), length=32, salt=salt, info=about).derive(key))


def _nonce(index: int, *, is_last: bool) -> bytes:
    return index.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")
