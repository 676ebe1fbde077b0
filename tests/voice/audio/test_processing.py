import io

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import encode
from tests.speech import recordings, spoken
from voice.audio.processing import PEAK_DBFS, Processing, describe, loudness_dbfs, measure, processed
from voice.errors import AudioRejected

RATE_HZ = 16_000
NOTHING = Processing(loudness_dbfs=None)
PEAK = 10 ** (PEAK_DBFS / 20)
LANGUAGES = ("en", "de", "fr", "es")


def process(samples: np.ndarray, rate_hz: int, options: Processing, *, block: int = 7_001) -> np.ndarray:
    """Both passes over the samples, in blocks."""
    blocks = [samples[start : start + block] for start in range(0, len(samples), block)] or [samples]
    levels = measure(blocks, rate_hz, options)
    return np.concatenate(list(processed(blocks, rate_hz, options, levels)))


def tone(seconds: float, amplitude: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def rms_dbfs(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("amplitude", [0.01, 0.05, 0.5, 1.0])
def test_a_tone_of_any_level_gets_the_loudness_asked_for(amplitude):
    result = process(tone(2.0, amplitude), RATE_HZ, Processing(loudness_dbfs=-20))

    assert rms_dbfs(result) == pytest.approx(-20, abs=0.1)
    assert len(result) == 2 * RATE_HZ


def test_pauses_do_not_make_speech_louder():
    speech = tone(1.0, 0.3)
    hesitant = np.concatenate([silence(3.0), speech, silence(3.0)])

    result = process(hesitant, RATE_HZ, Processing())

    assert np.abs(result).max() == pytest.approx(
        np.abs(process(speech, RATE_HZ, Processing())).max(), rel=0.01
    )


def test_espeak_gets_the_loudness_without_clipping():
    result = process(spoken("Tell me about a project that you are proud of.") * 0.05, RATE_HZ, Processing())

    assert loudness_dbfs(result, RATE_HZ) == pytest.approx(-20, abs=1.0)
    assert np.abs(result).max() <= PEAK + 1e-6


def test_recordings_of_people_get_the_loudness_without_clipping():
    people = [recording for language in LANGUAGES for recording in recordings(language)]
    if not people:
        pytest.skip("the recordings of people are not at hand")

    for recording in people:
        result = process(recording.samples(), RATE_HZ, Processing())

        assert loudness_dbfs(result, RATE_HZ) == pytest.approx(-20, abs=1.0), recording.file
        assert np.abs(result).max() <= PEAK + 1e-6, recording.file


def test_a_click_is_limited_and_not_clipped_by_the_gain():
    clicking = tone(2.0, 0.01)
    clicking[RATE_HZ] = 1.0

    result = process(clicking, RATE_HZ, Processing(loudness_dbfs=-20))

    assert np.abs(result).max() <= PEAK + 1e-6
    assert len(result) == len(clicking)


def test_noise_below_hearing_is_not_amplified():
    noise = (np.random.default_rng(0).standard_normal(RATE_HZ) * 1e-5).astype(np.float32)

    assert np.array_equal(process(noise, RATE_HZ, Processing()), noise)
    assert loudness_dbfs(noise, RATE_HZ) == -np.inf


def test_the_gain_is_bounded():
    quiet = tone(1.0, 0.001)

    assert rms_dbfs(process(quiet, RATE_HZ, Processing())) == pytest.approx(rms_dbfs(quiet) + 30, abs=0.1)


def test_compression_brings_loud_and_soft_closer():
    steps = np.concatenate([tone(1.0, 0.05), tone(1.0, 0.8)])

    result = process(steps, RATE_HZ, Processing(loudness_dbfs=None, is_compressed=True))

    assert len(result) == len(steps)
    soft, loud = result[4000:12_000], result[20_000:28_000]
    assert rms_dbfs(loud) - rms_dbfs(soft) < 24.1 - 6  # 24.1 dB before


@pytest.mark.parametrize("block", [160, 1_000, 100_000])
def test_the_result_does_not_depend_on_how_the_audio_is_cut(block):
    clicking = np.concatenate([silence(0.7), tone(1.0, 0.05), tone(0.5, 0.8), silence(0.4)])
    clicking[RATE_HZ] = 1.0
    options = Processing(is_compressed=True, is_trimmed=True)

    whole, cut = (process(clicking, RATE_HZ, options, block=size) for size in (len(clicking), block))

    assert np.allclose(whole, cut, atol=1e-5)
    assert len(whole) / RATE_HZ == pytest.approx(1.7, abs=0.03)


def test_silence_is_trimmed_at_both_ends_and_kept_inside():
    inside = np.concatenate([tone(0.5, 0.5), silence(1.0), tone(0.5, 0.5)])
    samples = np.concatenate([silence(2.0), inside, silence(3.0)])

    result = process(samples, RATE_HZ, Processing(loudness_dbfs=None, is_trimmed=True))

    assert len(result) / RATE_HZ == pytest.approx(2.0 + 0.2, abs=0.06)


def test_trimming_leaves_a_quiet_recording_whole():
    quiet = np.concatenate([silence(1.0), tone(1.0, 0.002), silence(1.0)])

    result = process(quiet, RATE_HZ, Processing(loudness_dbfs=None, is_trimmed=True))

    assert len(result) / RATE_HZ == pytest.approx(1.2, abs=0.06)


def test_trimmed_silence_gives_no_samples():
    assert len(process(silence(2.0), RATE_HZ, Processing(is_trimmed=True))) == 0


def test_nothing_asked_for_changes_nothing():
    samples = tone(0.3, 0.7)

    assert np.array_equal(process(samples, RATE_HZ, NOTHING), samples)


@pytest.mark.parametrize("options", [Processing(), Processing(is_compressed=True, is_trimmed=True), NOTHING])
def test_no_samples_give_no_samples(options):
    assert len(process(silence(0), RATE_HZ, options)) == 0


@settings(max_examples=30, deadline=None)
@given(
    n_samples=st.integers(1, 5000),
    scale=st.floats(0, 1),
    rate_hz=st.sampled_from([8000, 22_050, 48_000]),
    is_compressed=st.booleans(),
    is_trimmed=st.booleans(),
)
def test_any_noise_stays_finite_and_below_full_scale(n_samples, scale, rate_hz, is_compressed, is_trimmed):
    noise = np.random.default_rng(n_samples).uniform(-scale, scale, n_samples).astype(np.float32)

    result = process(noise, rate_hz, Processing(is_compressed=is_compressed, is_trimmed=is_trimmed))

    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert np.abs(result).max(initial=0) <= 1


@pytest.mark.parametrize("loudness", [-41.0, -9.0, float("nan")])
def test_a_loudness_that_nobody_uses_is_refused(loudness):
    with pytest.raises(ValueError, match="-40 to -10"):
        Processing(loudness_dbfs=loudness)


def test_samples_that_are_no_audio_are_rejected():
    with pytest.raises(AudioRejected):
        process(np.array([np.nan], np.float32), RATE_HZ, Processing())
    with pytest.raises(AudioRejected, match="192000"):
        process(silence(1), 1, Processing())


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz"),
    [
        ("wav", "pcm_s16le", 24_000),
        ("flac", "flac", 24_000),
        ("mp3", "mp3float", 24_000),
        ("opus", "opus", 48_000),
    ],
)
def test_a_file_is_described(container, codec, rate_hz):
    file = encode(tone(2.0, 0.5, 24_000), rate_hz=24_000, container=container)

    found = describe(file)

    assert (found.codec, found.sample_rate_hz, found.channels) == (codec, rate_hz, 1)
    assert found.size_bytes == len(file)
    assert (
        found.duration_s is None if container == "mp3" else found.duration_s == pytest.approx(2.0, abs=0.05)
    )


def test_a_description_holds_nothing_that_people_wrote():
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as output:
        output.metadata["title"] = "Somebody's interview"
        stream = output.add_stream("flac", rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, RATE_HZ), "<i2"), "s16", "mono")
        frame.sample_rate = RATE_HZ
        output.mux([*stream.encode(frame), *stream.encode(None)])

    assert b"Somebody" in file.getvalue()
    assert "Somebody" not in repr(describe(file.getvalue()))


@pytest.mark.parametrize("junk", [b"", b"no audio", bytes(5000)])
def test_junk_is_not_described(junk):
    with pytest.raises(AudioRejected):
        describe(junk)
