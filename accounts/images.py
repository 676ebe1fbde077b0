"""Images that people upload: PNG, JPEG or WebP, read strictly and written without what nobody needs to see.

Where a photo was taken, comments, and whatever follows the image do not come through. There is no SVG, which
may hold scripts.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

MIN_SIDE, MAX_SIDE = 16, 2000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = {
    b"IHDR",
    b"PLTE",
    b"tRNS",
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"iCCP",
    b"sBIT",
    b"pHYs",
    b"IDAT",
    b"IEND",
}
_PNG_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_WEBP_KEPT: Final = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"}
_WEBP_METADATA: Final = 0b1100
"""Flags of VP8X: EXIF and XMP follow."""
_JPEG_KEPT: Final = {0xC4, 0xDB, 0xDD, 0xE0, 0xE2, 0xEE}
"""Huffman and quantisation tables, restart interval, JFIF, colour profile, Adobe's colour transform."""
_JPEG_FRAMES: Final = {0xC0, 0xC1, 0xC2}


class BadImage(ValueError):
    """It is none of the three, or it is damaged."""


class Image(NamedTuple):
    """kind: "png", "jpeg" or "webp". content: the file without what is not needed."""

    kind: str
    width: int
    height: int
    content: bytes


def read(content: bytes) -> Image:
    """Return the image in a file. Raises BadImage."""
    try:
        if content.startswith(_PNG):
            return _png(content)
        if content.startswith(b"\xff\xd8\xff"):
            return _jpeg(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp(content)
    except (IndexError, struct.error, zlib.error) as error:
        raise BadImage from error
    raise BadImage


def _sized(kind: str, width: int, height: int, content: bytes) -> Image:
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (width, height)):
        raise BadImage
    return Image(kind, width, height, content)


def _png(content: bytes) -> Image:
    """Source: W3C, "Portable Network Graphics (PNG) Specification"."""
    chunks = list(_png_chunks(content))
    if chunks[0][0] != b"IHDR" or chunks[-1][0] != b"IEND":
        raise BadImage
    width, height, depth, colour, _method, _filter, is_interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if colour not in _PNG_CHANNELS or not all(MIN_SIDE <= side <= MAX_SIDE for side in (width, height)):
        raise BadImage
    pixels = b"".join(data for name, data in chunks if name == b"IDAT")
    expected = height * (1 + -(-width * depth * _PNG_CHANNELS[colour] // 8))
    unpacked = len(zlib.decompressobj().decompress(pixels, 2 * expected))
    if unpacked != expected and not (is_interlaced and expected < unpacked < 2 * expected):
        raise BadImage
    kept = b"".join(_png_chunk(name, data) for name, data in chunks if name in _PNG_KEPT)
    return _sized("png", width, height, _PNG + kept)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of each chunk up to the end of the image."""
    at, name = len(_PNG), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        if checksum != zlib.crc32(name + data):
            raise BadImage
        yield name, data
        at += 12 + length


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _jpeg(content: bytes) -> Image:
    """Source: ITU-T T.81."""
    kept, at, size = bytearray(b"\xff\xd8"), 2, (0, 0)
    while True:
        if content[at] != 0xFF:
            raise BadImage
        marker = content[at + 1]
        if marker == 0xD9:
            return _sized("jpeg", *size, bytes(kept) + b"\xff\xd9")
        (length,) = struct.unpack_from(">H", content, at + 2)
        end = at + 2 + length
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            size = (width, height)
        if marker == 0xDA:
            end = _end_of_scan(content, end)
        if marker in _JPEG_KEPT | _JPEG_FRAMES | {0xDA}:
            kept += content[at:end]
        elif not 0xE0 <= marker <= 0xFE:
            raise BadImage
        at = end


def _end_of_scan(content: bytes, at: int) -> int:
    """Return where the next marker stands after the coded data; restarts and a coded 0xFF belong to it."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise BadImage
        if content[at + 1] != 0 and not 0xD0 <= content[at + 1] <= 0xD7:
            return at
        at += 2


def _webp(content: bytes) -> Image:
    """Source: RFC 9649."""
    (length,) = struct.unpack_from("<I", content, 4)
    chunks, at, end = [], 12, 8 + length
    if end > len(content):
        raise BadImage
    while at < end:
        name, size = struct.unpack_from("<4sI", content, at)
        chunks.append((name, content[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    if at != end or any(name in (b"ANIM", b"ANMF") for name, _data in chunks):
        raise BadImage
    kept = b"".join(_webp_chunk(name, data) for name, data in chunks if name in _WEBP_KEPT)
    whole = b"RIFF" + struct.pack("<I", 4 + len(kept)) + b"WEBP" + kept
    return _sized("webp", *_webp_size(dict(chunks)), whole)


def _webp_chunk(name: bytes, data: bytes) -> bytes:
    if name == b"VP8X":
        data = bytes([data[0] & ~_WEBP_METADATA]) + data[1:]
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _webp_size(chunks: dict[bytes, bytes]) -> tuple[int, int]:
    if lossless := chunks.get(b"VP8L"):
        if lossless[0] != 0x2F:
            raise BadImage
        (bits,) = struct.unpack_from("<I", lossless, 1)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    lossy = chunks.get(b"VP8 ", b"")
    if lossy[3:6] != b"\x9d\x01\x2a":
        raise BadImage
    width, height = struct.unpack_from("<HH", lossy, 6)
    return width & 0x3FFF, height & 0x3FFF
