import pytest

from tests.frames import pack
from voice.recordings import frames


def test_frame_survives_the_wire():
    assert frames.unpack(pack(2**40, b"\1\2")) == frames.Frame(2**40, b"\1\2")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "8-byte offset"),
        (b"12345678", "8-byte offset"),
        (pack(0, b"123"), "even"),
        (pack(3, b"12"), "even"),
        (pack(0, bytes(frames.MAX_PCM_BYTES + 2)), "at most"),
    ],
)
def test_malformed_frame_is_refused_with_its_reason(data, reason):
    with pytest.raises(frames.BadFrame, match=reason):
        frames.unpack(data)
