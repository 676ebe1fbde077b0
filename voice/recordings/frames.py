"""The binary frame of audio: 8 bytes big-endian byte offset, then s16le PCM.

>>> unpack(bytes([0, 0, 0, 0, 0, 0, 0x7D, 0]) + b"\\0\\0")
Frame(offset=32000, pcm=b'\\x00\\x00')
"""

import struct
from dataclasses import dataclass

from voice.types import BYTES_A_SECOND

HEADER_BYTES = 8
MAX_PCM_BYTES = 8 * BYTES_A_SECOND
"""While somebody speaks, frames are 0.25 s or, under load, 1 or 2 s; those sent again may be longer."""
_HEADER = struct.Struct(">Q")


class BadFrame(ValueError):
    """Not a frame; the message says why."""


@dataclass(frozen=True, slots=True)
class Frame:
    """`pcm` (whole s16le samples) begins at byte `offset` of the recording."""

    offset: int
    pcm: bytes


def unpack(data: bytes) -> Frame:
    """Return the frame in `data`. Raises BadFrame."""
    size = len(data) - HEADER_BYTES
    if size <= 0:
        raise BadFrame(f"a frame is an {HEADER_BYTES}-byte offset and PCM; {len(data)} bytes came.")
    if size > MAX_PCM_BYTES:
        raise BadFrame(f"a frame holds at most {MAX_PCM_BYTES} bytes of PCM; {size} came.")
    (offset,) = _HEADER.unpack_from(data)
    if size % 2 or offset % 2:
        raise BadFrame("offset and PCM must be whole 16-bit samples: both byte counts must be even.")
    return Frame(offset, data[HEADER_BYTES:])
