import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sounds import loudest_hz, resample, tone
from voice.audio.decoding import decode_flac
from voice.audio.encoding import encode_flac
from voice.audio.pcm import s16le_from_samples, samples_from_f32le, samples_from_s16le
from voice.audio.resampling import Resampler
from voice.errors import AudioRejected

RATE_HZ = 16_000


@given(pcm=st.binary(max_size=4000).filter(lambda pcm: len(pcm) % 2 == 0))
def test_pcm_of_any_value_survives_the_way_to_samples_and_back(pcm):
    assert s16le_from_samples(samples_from_s16le(pcm)) == pcm


def test_pcm_of_an_odd_length_is_rejected():
    with pytest.raises(AudioRejected, match="even number"):
        samples_from_s16le(b"abc")


def test_samples_beyond_full_scale_are_clipped():
    assert s16le_from_samples(np.array([2.0, -2.0], np.float32)) == struct.pack("<hh", 32767, -32768)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_float_pcm_that_is_not_finite_is_rejected(value):
    with pytest.raises(AudioRejected, match="finite"):
        samples_from_f32le(struct.pack("<f", value))


@pytest.mark.parametrize(("from_hz", "to_hz"), [(8000, 16000), (44100, 16000), (22050, 24000)])
def test_resampling_keeps_length_and_pitch(from_hz, to_hz):
    result = resample(tone(1.0, from_hz), from_hz, to_hz)

    assert len(result) == pytest.approx(to_hz, rel=0.01)
    assert loudest_hz(result, to_hz) == pytest.approx(440, rel=0.01)


def test_resampling_in_pieces_equals_resampling_at_once():
    samples, stream = tone(1.0, 22_050), Resampler(22_050, 16_000)

    pieces = [stream.feed(samples[start : start + 777]) for start in range(0, len(samples), 777)]

    joined = np.concatenate([*pieces, stream.finish()])
    assert np.array_equal(joined, resample(samples, 22_050, 16_000))


def test_resampling_to_an_absurd_rate_is_rejected():
    with pytest.raises(AudioRejected, match="sample rate"):
        Resampler(16_000, 7)


def test_flac_cut_short_is_rejected_or_shorter():
    file = encode_flac(s16le_from_samples(tone(1.0)))

    with pytest.raises(AudioRejected, match="damaged"):
        decode_flac(file[:20])


@given(
    start=st.integers(0, 2000),
    damage=st.binary(min_size=1, max_size=200),
    rest=st.sampled_from([b"", b"fLaC", bytes(100)]),
)
def test_flac_that_is_damaged_is_rejected_or_other_sound(start, damage, rest):
    pcm = s16le_from_samples(tone(0.3))
    file = encode_flac(pcm)
    damaged = file[:start] + damage + file[start + len(damage) :] + rest

    try:
        heard, _ = decode_flac(damaged)
    except AudioRejected:
        return
    assert len(heard) % 2 == 0


@pytest.mark.parametrize("file", [b"", b"fLaC", bytes(1000), b"RIFF" + bytes(1000)])
def test_what_is_no_flac_at_all_is_rejected(file):
    with pytest.raises(AudioRejected):
        decode_flac(file)


def test_flac_in_stereo_is_rejected():
    import av

    target = io.BytesIO()
    with av.open(target, "w", format="flac") as output:
        stream = output.add_stream("flac", rate=RATE_HZ, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2 * RATE_HZ), "<i2"), "s16", "stereo")
        frame.sample_rate = RATE_HZ
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))

    with pytest.raises(AudioRejected, match="mono"):
        decode_flac(target.getvalue())
