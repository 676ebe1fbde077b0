"""Uploaded images: read strictly, and without what is not needed."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import images
from accounts.images import BadImage

SIDE = 20


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width=SIDE, height=SIDE, *, between=b"", rows=None) -> bytes:
    """A red image of 24 bits."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\xc0\x20\x20" * width) * (height if rows is None else rows))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + between + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(data)) + data


def jpeg(width=SIDE, height=SIDE, *, between=b"") -> bytes:
    """The frame of an image; the coded data says nothing."""
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + between + segment(0xDB, b"\0" + b"\1" * 64) + frame + scan + b"\xff\xd9"


def webp(width=SIDE, height=SIDE, *, further=b"", flags=0) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    body = riff(b"VP8L", b"\x2f" + struct.pack("<I", bits) + b"\0" * 8) + further
    if flags:
        body = riff(b"VP8X", bytes([flags]) + b"\0" * 9) + body
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def riff(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


@pytest.mark.parametrize(("content", "kind"), [(png(), "png"), (jpeg(), "jpeg"), (webp(), "webp")])
def test_image_is_read_with_its_size(content, kind):
    image = images.read(content)
    assert (image.kind, image.width, image.height) == (kind, SIDE, SIDE)
    assert image.content == content


@pytest.mark.parametrize(
    "content",
    [
        png(between=chunk(b"tEXt", b"Comment\0SECRET")) + b"<script>SECRET",
        png(between=chunk(b"eXIf", b"SECRET")),
        jpeg(between=segment(0xE1, b"Exif\0\0SECRET") + segment(0xFE, b"SECRET")) + b"SECRET",
        webp(further=riff(b"EXIF", b"SECRET"), flags=0b1000) + b"SECRET",
    ],
)
def test_metadata_and_what_follows_do_not_come_through(content):
    kept = images.read(content)
    assert b"SECRET" not in kept.content
    assert images.read(kept.content) == kept


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + b"\0" * 20,
        png()[:-3],
        png().replace(b"IDAT", b"IDAX"),
        png(rows=SIDE - 1),
        png(rows=SIDE + 1),
        png(2001, SIDE),
        png(SIDE, 3),
        jpeg()[:-2],
        jpeg(0, SIDE),
        b"\xff\xd8\xff\xd9",
        webp()[:-4],
        webp(further=riff(b"ANMF", b"\0" * 16)),
        webp(4000, SIDE),
    ],
)
def test_anything_else_is_refused(content):
    with pytest.raises(BadImage):
        images.read(content)


def test_image_that_unpacks_to_far_more_than_its_size_is_refused():
    with pytest.raises(BadImage):
        images.read(png(rows=100_000))


@given(st.sampled_from([png(), jpeg(), webp(flags=0b1000)]), st.data())
def test_damaged_image_is_refused_or_read(content, data):
    at = data.draw(st.integers(0, len(content) - 1))
    damaged = content[:at] + data.draw(st.binary(max_size=3)) + content[at + data.draw(st.integers(0, 3)) :]
    try:
        image = images.read(damaged)
    except BadImage:
        return
    assert min(image.width, image.height) >= images.MIN_SIDE
