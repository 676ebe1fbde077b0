"""One loudness for all voices, whole sentences or pieces of them."""

import numpy as np
import pytest

from tests import real_models
from tests.sounds import tone
from voice.audio.levelling import VOICE_DBFS, Leveller
from voice.audio.processing import PEAK_DBFS, loudness_dbfs
from voice.engines.tts.espeak import Espeak
from voice.engines.tts.kokoro import Kokoro
from voice.engines.tts.piper import Piper
from voice.inference.synthesizer import Synthesizer

RATE_HZ = 16_000


def levelled(*pieces):
    leveller = Leveller(RATE_HZ)
    return np.concatenate([leveller.feed(piece) for piece in pieces])


@pytest.mark.parametrize("amplitude", [0.01, 0.1, 1.0])
def test_a_sentence_of_any_level_gets_the_loudness(amplitude):
    sound = levelled(amplitude * tone(2.0))

    assert loudness_dbfs(sound, RATE_HZ) == pytest.approx(VOICE_DBFS, abs=0.1)
    assert sound.dtype == np.float32


def test_each_sentence_is_measured_by_itself():
    leveller = Leveller(RATE_HZ)
    leveller.feed(0.5 * tone(1.0))
    leveller.begin()

    assert loudness_dbfs(leveller.feed(0.05 * tone(1.0)), RATE_HZ) == pytest.approx(VOICE_DBFS, abs=0.1)


@pytest.mark.parametrize("n_pieces", [2, 7, 40])
def test_pieces_get_the_loudness_without_steps(n_pieces):
    syllables = 1 - 0.7 * np.abs(np.sin(2 * np.pi * 2 * np.arange(3 * RATE_HZ) / RATE_HZ))  # four a second
    said = (0.3 * tone(3.0) * syllables).astype(np.float32)

    sound = levelled(*np.array_split(said, n_pieces))

    assert loudness_dbfs(sound, RATE_HZ) == pytest.approx(VOICE_DBFS, abs=1.0)
    assert (
        np.abs(np.diff(sound)).max() <= 1.1 * np.abs(sound).max() * 2 * np.pi * 440 / RATE_HZ
    )  # a sine's own


def test_a_breath_before_the_first_word_is_not_made_loud():
    breath = 0.001 * tone(0.2)

    assert np.abs(levelled(breath)).max() < 0.0021


def test_silence_stays_silence():
    assert not levelled(np.zeros(RATE_HZ, np.float32)).any()
    assert not len(levelled(np.zeros(0, np.float32)))


def test_a_peak_is_limited_and_not_clipped():
    said = 0.01 * tone(2.0)
    said[8000:8004] = [0.2, 0.3, 0.25, 0.2]

    sound = levelled(said)

    assert np.abs(sound).max() < 10 ** (PEAK_DBFS / 20)
    assert sound[8000] == sound[8003] < sound[8002] < sound[8001]


TEXT = "Thank you. What would you do differently today?"


def loudness_of(engine, voice=None):
    said = Synthesizer([engine]).synthesize(TEXT, voice=voice, language="en")
    assert np.abs(said.samples).max() < 10 ** (PEAK_DBFS / 20)
    return loudness_dbfs(said.samples, said.sample_rate_hz)


def test_espeak_is_as_loud_as_every_voice(clean_redis):
    assert loudness_of(Espeak()) == pytest.approx(VOICE_DBFS, abs=1.0)


@pytest.mark.real
def test_piper_is_as_loud_as_every_voice(clean_redis):
    assert loudness_of(Piper(real_models.piper())) == pytest.approx(VOICE_DBFS, abs=1.0)


@pytest.mark.real
@pytest.mark.proof
@pytest.mark.parametrize("name", ["af_heart", "am_adam", "bm_lewis", "am_onyx"])
def test_kokoro_is_as_loud_as_every_voice(clean_redis, name):
    kokoro = Kokoro(str(real_models.kokoro()))

    assert loudness_of(kokoro, f"kokoro:{name}") == pytest.approx(VOICE_DBFS, abs=1.0)
