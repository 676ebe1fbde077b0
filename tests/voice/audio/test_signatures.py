import numpy as np
import pytest

from tests.sounds import encode, tone
from voice.audio.pcm import s16le_from_samples
from voice.audio.signatures import LONGEST_BYTES, container_of


@pytest.mark.parametrize(
    ("container", "name"), [("wav", "WAV"), ("flac", "FLAC"), ("mp3", "MP3"), ("opus", "Ogg")]
)
def test_files_are_recognised_by_their_first_bytes(container, name):
    assert container_of(encode(tone(0.5), rate_hz=16_000, container=container)) == name


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81", "WebM"),
        (b"\x00\x00\x00\x24ftypiso5", "MP4"),
        (b"#!AMR-WB\n\x04\x12\x20", "AMR"),
        (b"Og", None),
        (b"", None),
    ],
)
def test_signatures_have_names(head, name):
    assert container_of(head[:LONGEST_BYTES]) == name


def test_noise_is_pcm():
    """Also noise that is full of what begins an MP3 frame: the samples -5, -13 and -1."""
    rng = np.random.default_rng(0)
    soft = [rng.integers(-16, 1, 2000).astype("<i2").tobytes() for _ in range(300)]
    loud = [rng.bytes(2000) for _ in range(300)]

    assert {container_of(pcm) for pcm in [*soft, *loud, s16le_from_samples(tone(0.1)), bytes(99)]} == {None}
