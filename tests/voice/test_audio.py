import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.audio import (
    Resampler,
    decode,
    decode_flac,
    encode,
    encode_flac,
    encode_wav,
    resample,
    s16le_from_samples,
    samples_from_f32le,
    samples_from_s16le,
)
from voice.engines.base import AudioRejected

RATE_HZ = 16_000


def tone(seconds: float, rate_hz: int = RATE_HZ, frequency_hz: float = 440.0) -> np.ndarray:
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def loudest_hz(samples: np.ndarray, rate_hz: int) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate_hz / len(samples))


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


@settings(max_examples=20, deadline=None)
@given(pcm=st.binary(min_size=2, max_size=40_000).filter(lambda pcm: len(pcm) % 2 == 0))
def test_flac_gives_the_same_bytes_back(pcm):
    assert decode_flac(encode_flac(pcm)) == (pcm, RATE_HZ)


def test_flac_of_speech_like_sound_is_smaller_than_its_pcm():
    pcm = s16le_from_samples(tone(2.0))

    assert len(encode_flac(pcm)) < len(pcm) / 2


@pytest.mark.parametrize("pcm", [b"", b"abc"])
def test_flac_of_no_whole_samples_is_rejected(pcm):
    with pytest.raises(AudioRejected):
        encode_flac(pcm)


def test_flac_cut_short_is_rejected_or_shorter():
    file = encode_flac(s16le_from_samples(tone(1.0)))

    with pytest.raises(AudioRejected, match="damaged"):
        decode_flac(file[:20])


def test_wav_is_read_by_the_standard_library():
    with wave.open(io.BytesIO(encode_wav(b"\x01\x00\x02\x00", rate_hz=8000))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.readframes(9) == b"\x01\x00\x02\x00"


@pytest.mark.parametrize("container", ["wav", "flac", "mp3", "opus"])
def test_a_file_of_each_container_decodes_to_the_same_sound(container):
    file = encode(tone(1.0, 24_000), rate_hz=24_000, container=container)

    samples = decode(file)

    assert len(samples) == pytest.approx(RATE_HZ, rel=0.1)
    assert loudest_hz(samples, RATE_HZ) == pytest.approx(440, rel=0.02)


def test_stereo_is_mixed_to_mono():
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(np.repeat((tone(0.5) * 32767).astype("<i2"), 2).tobytes())

    assert len(decode(file.getvalue())) == pytest.approx(RATE_HZ / 2, abs=2)


@pytest.mark.parametrize("junk", [b"", b"no audio at all", bytes(1000), b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_junk_is_rejected(junk):
    with pytest.raises(AudioRejected):
        decode(junk)


def test_a_playlist_that_names_a_file_of_this_server_is_rejected(tmp_path):
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encode_wav(bytes(32_000)))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n"

    with pytest.raises(AudioRejected):
        decode(playlist.encode())
    with pytest.raises(AudioRejected):
        decode(f"ffconcat version 1.0\nfile '{secret}'\n".encode())


def test_a_file_over_the_limit_of_bytes_is_rejected_unread():
    with pytest.raises(AudioRejected, match="at most 10"):
        decode(bytes(11), limit_bytes=10)


def test_a_small_file_of_a_long_recording_is_rejected():
    silence = encode_flac(bytes(2 * RATE_HZ * 60))

    with pytest.raises(AudioRejected, match="over 30 s"):
        decode(silence, limit_s=30)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_file_is_decoded_or_rejected_and_nothing_else(data):
    file = bytearray(
        encode(tone(0.2), rate_hz=RATE_HZ, container=data.draw(st.sampled_from(["flac", "mp3", "opus"])))
    )
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))

    try:
        samples = decode(bytes(file), limit_s=60)
    except AudioRejected:
        return
    assert np.abs(samples).max() <= 1
