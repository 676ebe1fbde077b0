"""Whisper with real weights: what it hears in recordings of people, and what it does not invent.

tiny.en is the fastest; base hears German too. Bounds are for what is heard, never for time.
"""

import numpy as np
import pytest

from tests import real_models
from tests.sizes import sizes
from tests.speech import Recording, recordings, word_error_rate
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.types import RECOGNITION_RATE_HZ

pytestmark = pytest.mark.real

SHORTEST = ("en_lamp.wav", "en_austen_0880.wav")
LONGER_THAN_A_WINDOW = ("en_jfk.flac", "en_libri_1995.wav", "en_lj_0001.wav", "en_austen_0920.wav")


def loaded(size):
    engine = FasterWhisper(str(real_models.whisper(size)), device="cpu", slots=1)
    engine.load()
    return engine


@pytest.fixture(scope="module")
def tiny():
    engine = loaded("tiny.en")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def base():
    engine = loaded("base")
    yield engine
    engine.close()


def clips(language="en", names=None) -> list[Recording]:
    """Recordings in a language, or those named, in this order; the test is skipped where there are none."""
    found = {clip.file: clip for clip in recordings(language)}
    if not found:
        pytest.skip("../shared/speech is not beside this repository")
    return [found[name] for name in names] if names else list(found.values())


def joined(parts, *, pause_s=0.6):
    """float32[n_samples]: the recordings, with a pause after each."""
    pause = np.zeros(int(pause_s * RECOGNITION_RATE_HZ), np.float32)
    return np.concatenate([samples for part in parts for samples in (part.samples(), pause)])


def texts(words):
    return " ".join(word.text for word in words)


def errors_of(clip, heard):
    """Words inserted, deleted or replaced."""
    return round(word_error_rate(clip.transcript, heard) * n_words(clip))


def n_words(clip):
    return len(clip.transcript.split())


@sizes("names", short=SHORTEST, proof=None)
def test_recordings_of_people_are_heard(tiny, names):
    heard = [
        (clip, errors_of(clip, tiny.recognize(clip.samples(), language="en").text))
        for clip in clips(names=names)
    ]

    words = sum(n_words(clip) for clip, _errors in heard)
    assert sum(errors for _clip, errors in heard) <= max(2, 0.05 * words), heard


# Base takes the one short Spanish recording for Hindi.
@sizes("languages", short=("de",), proof=("en", "de", "fr"))
def test_the_language_is_detected_and_the_words_are_heard(base, languages):
    for clip in (clip for language in languages for clip in clips(language)):
        recognition = base.recognize(clip.samples(), language=None)

        assert recognition.language == clip.language, clip.file
        assert recognition.language_probability > 0.5, clip.file
        assert errors_of(clip, recognition.text) <= 2, recognition.text


@pytest.mark.parametrize("seconds", [1, 12])
@pytest.mark.parametrize("is_partial", [False, True])
def test_neither_silence_nor_noise_nor_hum_has_words(tiny, seconds, is_partial):
    count = seconds * RECOGNITION_RATE_HZ
    noise = np.random.default_rng(7).normal(0, 0.02, count).astype(np.float32)
    hum = (0.05 * np.sin(2 * np.pi * 50 / RECOGNITION_RATE_HZ * np.arange(count))).astype(np.float32)

    for sound in (np.zeros(count, np.float32), noise, hum):
        assert tiny.recognize(sound, language="en", is_partial=is_partial).text == ""


def test_hot_words_change_the_spelling_of_what_is_said_and_add_nothing(base):
    (clip,) = clips(names=["en_quilter.wav"])

    with_names = base.recognize(clip.samples(), language="en", hot_words="Kwilter, Kubernetes").text

    assert "Kwilter" in with_names
    assert "Kubernetes" not in with_names


@pytest.mark.proof
def test_speech_longer_than_a_window_is_heard_to_its_end(tiny):
    parts = clips(names=LONGER_THAN_A_WINDOW)

    recognition = tiny.recognize(joined(parts), language="en")

    said = " ".join(clip.transcript for clip in parts)
    assert recognition.duration_s > 30
    assert word_error_rate(said, recognition.text) <= 0.1
    assert recognition.words[-1].end_s == pytest.approx(recognition.duration_s, abs=1.5)


@sizes("names", short=SHORTEST[1:], proof=None)
def test_a_cut_at_the_time_of_a_word_parts_the_words_there(tiny, names):
    """The left part has the words before the cut, the right part those after it, up to one at the seam."""
    for clip in clips(names=names):
        samples = clip.samples()
        words = tiny.recognize(samples, language="en").words
        middle = len(words) // 2
        cut = int(words[middle].end_s * RECOGNITION_RATE_HZ)

        left = tiny.recognize(samples[:cut], language="en").words
        right = tiny.recognize(samples[cut:], language="en").words

        for part, expected in ((left, words[: middle + 1]), (right, words[middle + 1 :])):
            assert word_error_rate(texts(expected), texts(part)) * len(expected) <= 2, clip.file
