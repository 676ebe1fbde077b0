"""Fast path for plain WebSocket messages, parsed and built in one step.

autobahn parses a frame in a dozen steps, for every feature of the protocol. That takes a tenth of a
millisecond, with log lines that are not used. A frame of audio or a ping is complete, short and plain.
`whole_message` parses these and leaves everything else, including invalid frames, to autobahn.

Source: RFC 6455, section 5.2.
"""

from typing import Final, NamedTuple

import numpy as np

LONGEST_BYTES: Final = 65_535
"""The longest payload handled here: above it a length field has eight bytes."""
_TEXT, _BINARY = 0x81, 0x82  # the last frame of a message, without extensions
_MASKED = 0x80
_MASK_BYTES = 4
_TWO_BYTES = 126  # the length is in the next two bytes


class Message(NamedTuple):
    """A client's message, and its end in the received bytes."""

    payload: bytes
    is_binary: bool
    end: int


class Incomplete(Exception):
    """The bytes are the start of a plain message; wait for the rest."""


def whole_message(data: bytes, *, longest: int = LONGEST_BYTES) -> Message | None:
    """Return the message at the start of `data`; None if it is not a plain one of at most `longest` bytes.

    Raises:
        Incomplete: a plain message is not complete yet.
    """
    if len(data) < 2 or data[0] not in (_TEXT, _BINARY) or data[1] < _MASKED:
        return None
    length, begin = data[1] - _MASKED, 2 + _MASK_BYTES
    if length == _TWO_BYTES:
        length, begin = int.from_bytes(data[2:4]), 4 + _MASK_BYTES
        if length < _TWO_BYTES:
            return None  # invalid, or not received yet
    elif length > _TWO_BYTES:
        return None
    if length > longest:
        return None
    end = begin + length
    if len(data) < end:
        raise Incomplete
    payload = _unmasked(data, begin, length)
    if data[0] == _TEXT and not payload.isascii():
        return None  # autobahn validates UTF-8
    return Message(payload, data[0] == _BINARY, end)


def _unmasked(data: bytes, begin: int, length: int) -> bytes:
    words, rest = divmod(length, _MASK_BYTES)
    mask = np.frombuffer(data, "<u4", 1, begin - _MASK_BYTES)
    payload = (np.frombuffer(data, "<u4", words, begin) ^ mask).tobytes()
    if not rest:
        return payload
    last = data[begin + length - rest : begin + length]
    return payload + bytes(a ^ b for a, b in zip(last, data[begin - _MASK_BYTES :], strict=False))


def frame(payload: bytes, *, is_binary: bool) -> bytes:
    """Build the frame for a server's message of at most `LONGEST_BYTES`."""
    first = _BINARY if is_binary else _TEXT
    if len(payload) < _TWO_BYTES:
        return bytes((first, len(payload))) + payload
    return bytes((first, _TWO_BYTES)) + len(payload).to_bytes(2) + payload
