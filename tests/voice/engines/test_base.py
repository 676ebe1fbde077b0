import numpy as np
import pytest

from voice.audio.pcm import checked_samples
from voice.engines.base import matching_voice
from voice.errors import LanguageUnsupported
from voice.text.languages import primary_language
from voice.types import Recognition, Segment, Voice, Word


def recognition(*segments):
    return Recognition("text", "en", 1.0, 5.0, segments, "engine", "model")


def test_confidence_is_the_mean_of_the_words():
    words = (Word("a", 0, 1, 0.5), Word("b", 1, 2, 1.0))

    assert recognition(Segment("a b", 0, 2, -9, 0, words)).confidence == 0.75


def test_confidence_without_words_weighs_segments_by_duration():
    long, short = Segment("a", 0, 3, 0.0, 0), Segment("b", 3, 4, -4.0, 0)

    assert recognition(long, short).confidence == pytest.approx(np.exp(-1))


def test_confidence_of_silence_is_zero():
    assert recognition().confidence == 0


@pytest.mark.parametrize("tag", ["de", "de-DE", "de_DE", "DE", "de-Latn-AT"])
def test_primary_language_of_any_spelling(tag):
    assert primary_language(tag) == "de"


def test_small_overshoots_are_clipped():
    assert checked_samples(np.array([1.2, -1.2, 0.5])).tolist() == pytest.approx([1, -1, 0.5])


VOICES = tuple(Voice(f"e:{tag}", tag, tag, "e", "neural", 16_000) for tag in ("en-GB", "en-US", "de-DE"))


@pytest.mark.parametrize(
    ("voice", "language", "chosen"),
    [
        ("e:de-DE", "en", "de-DE"),
        (None, "en_us", "en-US"),
        (None, "en", "en-GB"),
        ("other:x", "de", "de-DE"),
        (None, "en-AU", "en-GB"),
    ],
)
def test_a_voice_is_chosen_by_id_then_tag_then_language(voice, language, chosen):
    assert matching_voice(VOICES, voice=voice, language=language).language == chosen


def test_no_voice_for_a_language_says_so():
    with pytest.raises(LanguageUnsupported, match="'fr'"):
        matching_voice(VOICES, voice=None, language="fr")
