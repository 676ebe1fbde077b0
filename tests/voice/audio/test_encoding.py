import io
import tracemalloc
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import encode, encode_wav, loudest_hz, stated_seconds, tone
from tests.speech import spoken
from voice.audio.decoding import decode, decode_flac
from voice.audio.encoding import MEDIA_TYPES, Encoder, encode_flac
from voice.audio.pcm import s16le_from_samples
from voice.errors import AudioRejected

RATE_HZ = 16_000

CODED = sorted(set(MEDIA_TYPES) - {"pcm"})


def streamed(pcm: bytes, container: str, rate_hz: int, sizes: list[int]) -> list[bytes]:
    encoder = Encoder(container, rate_hz)
    pieces, start = [], 0
    for size in sizes:
        pieces.append(encoder.feed(pcm[start : start + size]))
        start += size
    return [*pieces, encoder.feed(pcm[start:]), encoder.finish()]


@pytest.mark.parametrize("container", CODED)
@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 24_000, 48_000, 96_000])
def test_a_stream_of_each_format_and_rate_decodes_to_the_same_sound(container, rate_hz):
    pcm = s16le_from_samples(tone(1.0, rate_hz))

    samples = decode(b"".join(streamed(pcm, container, rate_hz, [700] * 40)))

    assert (
        RATE_HZ <= len(samples) <= 1.3 * RATE_HZ
    )  # MP3 and AAC begin and end with up to two frames of silence
    assert loudest_hz(samples, RATE_HZ) == pytest.approx(440, rel=0.02)


@pytest.mark.parametrize("container", CODED)
def test_speech_that_is_streamed_begins_before_it_ends(container):
    pcm = s16le_from_samples(tone(2.0, 24_000))

    sizes = [len(piece) for piece in streamed(pcm, container, 24_000, [960] * 100)]  # 20 ms each

    assert sum(sizes[:6]) > 100  # of the first 120 ms
    assert sum(sizes[:-1]) > 0.85 * sum(sizes)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 3000), max_size=30), container=st.sampled_from(CODED))
def test_a_stream_cut_anywhere_holds_the_same_sound(sizes, container):
    pcm = s16le_from_samples(tone(0.5, 24_000))

    cut, whole = (b"".join(streamed(pcm, container, 24_000, some)) for some in (sizes, []))

    assert np.array_equal(decode(cut), decode(whole))


def test_pcm_passes_through():
    assert b"".join(streamed(b"\x01\x02\x03\x04", "pcm", 24_000, [1, 2])) == b"\x01\x02\x03\x04"


def test_a_streamed_wav_leaves_its_length_open():
    file = b"".join(streamed(bytes(4800), "wav", 24_000, [100]))

    assert file[4:8] == file[40:44] == b"\xff\xff\xff\xff"
    assert len(decode(file)) == 1600


def test_a_streamed_flac_gives_the_same_bytes_back():
    pcm = np.random.default_rng(0).integers(-32768, 32767, 30_000).astype("<i2").tobytes()

    assert decode_flac(b"".join(streamed(pcm, "flac", 22_050, [999] * 9))) == (pcm, 22_050)


@pytest.mark.parametrize("container", sorted(MEDIA_TYPES))
def test_an_endless_stream_keeps_no_memory(container):
    encoder, second = Encoder(container, 24_000), bytes(48_000)
    for _ in range(5):
        encoder.feed(second)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()

    for _ in range(200):
        encoder.feed(second)

    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held - before < 200_000  # 9.6 MB went through


@pytest.mark.parametrize("container", sorted(MEDIA_TYPES))
def test_a_stream_without_audio_is_rejected(container):
    with pytest.raises(AudioRejected, match="No 16-bit audio"):
        Encoder(container, 24_000).finish()


def test_half_a_sample_left_over_is_rejected():
    encoder = Encoder("mp3", 24_000)
    encoder.feed(b"abc")

    with pytest.raises(AudioRejected, match="even number"):
        encoder.finish()


def test_a_finished_file_takes_no_more():
    encoder = Encoder("flac", 24_000)
    encoder.feed(bytes(4800))
    encoder.finish()

    assert encoder.finish() == b""
    with pytest.raises(AudioRejected, match="finished"):
        encoder.feed(bytes(2))


@pytest.mark.parametrize(("container", "rate_hz", "named"), [("ogx", 24_000, "ogx"), ("mp3", 7, "7 Hz")])
def test_an_unknown_format_or_rate_is_rejected(container, rate_hz, named):
    with pytest.raises(AudioRejected, match=named):
        Encoder(container, rate_hz)


@settings(max_examples=20, deadline=None)
@given(pcm=st.binary(min_size=2, max_size=40_000).filter(lambda pcm: len(pcm) % 2 == 0))
def test_flac_gives_the_same_bytes_back(pcm):
    assert decode_flac(encode_flac(pcm)) == (pcm, RATE_HZ)


def test_flac_of_speech_is_smaller_than_its_pcm():
    pcm = s16le_from_samples(spoken("Every word of this comes back as it was."))

    assert len(encode_flac(pcm)) < len(pcm) * 3 / 4


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 48_000])
def test_frames_of_a_whole_flac_are_long_but_not_too_long_for_any_player(rate_hz):
    flac = encode_flac(s16le_from_samples(tone(1.0, rate_hz)), rate_hz=rate_hz)

    longest = int.from_bytes(flac[10:12], "big")  # RFC 9639, section 8.2

    assert 4096 <= longest <= 4608


@pytest.mark.parametrize("pcm", [b"", b"abc"])
def test_flac_of_no_whole_samples_is_rejected(pcm):
    with pytest.raises(AudioRejected):
        encode_flac(pcm)


def test_wav_is_read_by_the_standard_library():
    with wave.open(io.BytesIO(encode_wav(b"\x01\x00\x02\x00", rate_hz=8000))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.readframes(9) == b"\x01\x00\x02\x00"


@pytest.mark.parametrize("container", CODED)
def test_a_whole_file_decodes_to_the_same_sound(container):
    file = encode(tone(1.0, 24_000), rate_hz=24_000, container=container)

    samples = decode(file)

    assert len(samples) == pytest.approx(RATE_HZ, rel=0.1)
    assert loudest_hz(samples, RATE_HZ) == pytest.approx(440, rel=0.02)


@pytest.mark.parametrize("container", ["wav", "flac", "mp3", "opus"])
@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 44_100])
def test_a_whole_file_states_its_true_length(container, rate_hz):
    file = encode(tone(3.0, rate_hz), rate_hz=rate_hz, container=container)

    assert stated_seconds(file) == pytest.approx(3.0, abs=0.11)  # MP3 counts frames, padding included


def test_a_whole_file_of_plain_pcm_is_its_samples():
    assert encode(tone(0.1, 24_000), rate_hz=24_000, container="pcm") == s16le_from_samples(tone(0.1, 24_000))
