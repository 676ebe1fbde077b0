"""Whatever is done to an encrypted file, its content comes back as it was, or not at all."""

from uuid import UUID

import pytest
from hypothesis import given, strategies

from voice.encryption import blocks
from voice.encryption.blocks import BLOCK_BYTES, HEADER_BYTES, STORED_BYTES
from voice.errors import DecryptionFailed

KEY, KEY_ID, NAME = b"k" * 32, UUID(int=7), "recordings/1/a.flac"
THREE_BLOCKS = bytes(range(256)) * 600
SIZES = (0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES, len(THREE_BLOCKS))


def encrypted(content: bytes = THREE_BLOCKS, *, key: bytes = KEY, key_id: UUID = KEY_ID, name: str = NAME):
    return blocks.encrypt(content, key=key, key_id=key_id, name=name)


def decrypted(stored: bytes, *, key: bytes = KEY, key_id: UUID = KEY_ID, name: str = NAME) -> bytes:
    return blocks.decrypt(stored, key=key, key_id=key_id, name=name)


def block(stored: bytes, index: int) -> bytes:
    start = HEADER_BYTES + index * STORED_BYTES
    return stored[start : start + STORED_BYTES]


@pytest.mark.parametrize("size", SIZES)
def test_content_of_any_length_comes_back(size):
    content = (THREE_BLOCKS * 2)[:size]
    stored = encrypted(content)

    assert decrypted(stored) == content
    assert len(stored) == HEADER_BYTES + size + 16 * max(1, -(-size // BLOCK_BYTES))
    assert size < 32 or content[:32] not in stored


def test_no_two_files_are_alike():
    assert encrypted() != encrypted()


FILE = encrypted()
OTHER = encrypted()
HEADER, FIRST, SECOND, LAST = FILE[:HEADER_BYTES], block(FILE, 0), block(FILE, 1), block(FILE, 2)
TAMPERED = {
    "two blocks are swapped": HEADER + SECOND + FIRST + LAST,
    "a block is dropped": HEADER + FIRST + LAST,
    "the first block is dropped": HEADER + SECOND + LAST,
    "the last block is dropped": HEADER + FIRST + SECOND,
    "only the header is left": HEADER,
    "nothing is left": b"",
    "a block stands twice": HEADER + FIRST + FIRST + SECOND + LAST,
    "the last block stands twice": FILE + LAST,
    "a block is of another file of this name": HEADER + FIRST + block(OTHER, 1) + LAST,
    "the header is of another file": OTHER[:HEADER_BYTES] + FILE[HEADER_BYTES:],
    "the last byte is cut off": FILE[:-1],
    "a byte follows": FILE + b"\0",
    "an empty last block follows": FILE + bytes(16),
    "the content lies there unencrypted": THREE_BLOCKS,
    "the length of the last block is that of a whole one": HEADER
    + FIRST
    + SECOND
    + LAST.ljust(STORED_BYTES, b"\0"),
}


@pytest.mark.parametrize("stored", TAMPERED.values(), ids=TAMPERED)
def test_a_file_that_was_tampered_with_is_refused(stored):
    assert decrypted(FILE) == THREE_BLOCKS
    with pytest.raises(DecryptionFailed):
        decrypted(stored)


@given(strategies.integers(0, len(FILE) * 8 - 1))
def test_no_bit_can_be_changed(bit):
    changed = bytearray(FILE)
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(DecryptionFailed):
        decrypted(bytes(changed))


@given(strategies.integers(0, len(FILE) - 1))
def test_no_file_can_be_cut_off(length):
    with pytest.raises(DecryptionFailed):
        decrypted(FILE[:length])


@pytest.mark.parametrize(
    "other",
    [
        {"name": "recordings/2/a.flac"},
        {"name": "recordings/1/b.flac"},
        {"key": b"o" * 32},
        {"key_id": UUID(int=8)},
    ],
)
def test_another_name_and_another_key_read_nothing(other):
    with pytest.raises(DecryptionFailed):
        decrypted(FILE, **other)
