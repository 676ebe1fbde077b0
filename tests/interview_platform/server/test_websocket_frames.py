"""The fast path for plain WebSocket messages, checked against the RFC and a client library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from interview_platform.server.websocket_frames import (
    LONGEST_BYTES,
    Incomplete,
    Message,
    frame,
    whole_message,
)

EDGES = [0, 1, 2, 3, 4, 5, 125, 126, 127, 8008, 65_534, 65_535]


def sent(payload: bytes, opcode: Opcode = Opcode.BINARY, *, fin: bool = True) -> bytes:
    """Build a frame as a client sends it."""
    return Frame(opcode, payload, fin=fin).serialize(mask=True)


def read(data: bytes) -> Frame:
    """Parse a frame as a client reads it."""
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as ended:
        next(parsing)
    return ended.value.value


@pytest.mark.parametrize("size", EDGES)
def test_message_is_taken_whole_and_what_follows_is_left(size):
    payload = bytes(n % 251 for n in range(size))
    data = sent(payload)

    assert whole_message(data) == Message(payload, is_binary=True, end=len(data))
    assert whole_message(data + b"next") == Message(payload, is_binary=True, end=len(data))


@given(st.binary(max_size=600), st.data())
def test_message_that_is_cut_anywhere_after_its_header_is_waited_for(payload, data):
    whole = sent(payload)
    header_bytes = len(whole) - len(payload)
    cut = data.draw(st.integers(header_bytes, len(whole)))

    if cut < len(whole):
        with pytest.raises(Incomplete):
            whole_message(whole[:cut])
    else:
        assert whole_message(whole).payload == payload


@pytest.mark.parametrize("cut", range(8))
def test_header_that_is_cut_is_no_message(cut):
    """No message results, whether the parser waits or leaves the bytes to autobahn."""
    data = sent(bytes(300))[:cut]
    try:
        assert whole_message(data) is None
    except Incomplete:
        assert cut >= 2


def test_text_is_taken_as_text():
    assert whole_message(sent(b'{"type": "ping"}', Opcode.TEXT)) == Message(b'{"type": "ping"}', False, 22)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(sent(b"half", fin=False), id="the first of several frames"),
        pytest.param(sent(b"rest", Opcode.CONT), id="a continuation"),
        pytest.param(sent(b"", Opcode.PING), id="a ping"),
        pytest.param(sent(b"\x03\xe8", Opcode.CLOSE), id="a close"),
        pytest.param(sent("ö".encode(), Opcode.TEXT), id="text that must be validated"),
        pytest.param(Frame(Opcode.BINARY, b"plain").serialize(mask=False), id="not masked"),
        pytest.param(sent(bytes(LONGEST_BYTES + 1)), id="a length of eight bytes"),
        pytest.param(b"\xc2" + sent(b"packed")[1:], id="an extension's bit"),
        pytest.param(b"\x82\xfe\x00\x7d" + bytes(4 + 125), id="a length that is longer than it need be"),
    ],
)
def test_everything_else_is_left_to_autobahn(data):
    assert whole_message(data) is None


def test_longer_than_the_server_takes_is_left_to_autobahn():
    assert whole_message(sent(bytes(101)), longest=100) is None
    assert whole_message(sent(bytes(100)), longest=100) is not None


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("is_binary", [True, False])
def test_frame_is_what_a_client_reads(size, is_binary):
    payload = b"x" * size
    assert read(frame(payload, is_binary=is_binary)) == Frame(
        Opcode.BINARY if is_binary else Opcode.TEXT, payload, fin=True
    )
