"""Recognise audio files by their first bytes, where PCM is expected."""

from typing import Final

LONGEST_BYTES: Final = 12
"""So many bytes tell each container apart from the others, and from PCM."""

# Where the bytes stand, the bytes, and the name of the container. PCM begins like this once in four billion
# streams. Sources: RFC 9559 (Matroska, WebM), RFC 3533 (Ogg), ISO 14496-12 (MP4), RFC 9639 (FLAC), RFC 4867
# (AMR), id3.org (ID3v2), and the manuals of Microsoft, Apple and Adobe for the others.
_SIGNATURES: Final = (
    (0, b"\x1a\x45\xdf\xa3", "WebM"),
    (0, b"OggS", "Ogg"),
    (4, b"ftyp", "MP4"),
    (0, b"fLaC", "FLAC"),
    (0, b"RIFF", "WAV"),
    (0, b"ID3\x02", "MP3"),
    (0, b"ID3\x03", "MP3"),
    (0, b"ID3\x04", "MP3"),
    (0, b"#!AMR", "AMR"),
    (0, b"FORM", "AIFF"),
    (0, b"caff", "CAF"),
    (0, b"FLV\x01", "FLV"),
    (0, b"\x30\x26\xb2\x75", "ASF"),
)


def container_of(head: bytes) -> str | None:
    """Return the name of the container that begins with `head`; None for PCM, or for too few bytes."""
    for start, signature, name in _SIGNATURES:
        if head[start : start + len(signature)] == signature:
            return name
    return "MP3" if _is_mp3(head) else None


def _is_mp3(head: bytes) -> bool:
    """Whether two MP3 frames begin here, one behind the other.

    Source: ISO 11172-3, section 2.4.1.3, and ISO 13818-3; layer III, with MPEG 2.5.
    """
    length = _frame_bytes(head[:4])
    return (
        length > 0 and _frame_bytes(head[length : length + 4]) > 0 and head[:2] == head[length : length + 2]
    )


_KBITS: Final = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
"""Of MPEG 1, and of MPEG 2 and 2.5, by the index in the header."""
_RATES_HZ: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def _frame_bytes(header: bytes) -> int:
    """Return the length of the frame with this header of four bytes; 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate_index = header[1] >> 3 & 3, header[2] >> 2 & 3
    if version not in _RATES_HZ or rate_index == 3:
        return 0
    is_first = version == 3
    kbits = _KBITS[is_first][header[2] >> 4]
    if not kbits:
        return 0
    return (144 if is_first else 72) * 1000 * kbits // _RATES_HZ[version][rate_index] + (header[2] >> 1 & 1)
