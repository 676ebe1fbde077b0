import pytest

from voice import wire


def test_frame_survives_the_wire():
    assert wire.unpack(wire.pack(2**40, b"\1\2")) == wire.Frame(2**40, b"\1\2")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "8-byte offset"),
        (b"12345678", "8-byte offset"),
        (wire.pack(0, b"123"), "even"),
        (wire.pack(3, b"12"), "even"),
        (wire.pack(0, bytes(wire.MAX_PCM_BYTES + 2)), "at most"),
    ],
)
def test_malformed_frame_is_refused_with_its_reason(data, reason):
    with pytest.raises(wire.BadFrame, match=reason):
        wire.unpack(data)
