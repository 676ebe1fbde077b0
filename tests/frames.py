"""Frames of audio as the candidate's page sends them."""

import struct


def pack(offset: int, pcm: bytes) -> bytes:
    """8 bytes big-endian byte offset, then `pcm`, as `voice.recordings.frames.unpack` reads it."""
    return struct.pack(">Q", offset) + pcm
