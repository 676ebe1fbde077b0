"""The choice of a request's voice."""

import pytest

from tests.standins import build_piper_voice
from voice.engines.tts.kokoro_voices import VOICES
from voice.speech import voice_samples, voices
from voice.types import Voice

CHOIR = Voice("piper:en_US-choir-medium", "en-US", "choir", "piper", "neural", 22_050, ("zoe", "adam"))
SOLO = Voice("piper:de_DE-anna-low", "de-DE", "anna-low", "piper", "neural", 16_000)
AMONG = (CHOIR, SOLO, *VOICES)


@pytest.mark.parametrize(
    "voice_id",
    [
        "piper:de_DE-anna-low",
        "piper:en_US-choir-medium",
        "piper:en_US-choir-medium#adam",
        "piper:en_US-choir-medium#1",
        "kokoro:af_heart",
        "kokoro:af_heart+af_bella",
        "kokoro:af_heart:0.7+af_bella:0.3",
    ],
)
def test_a_voice_keeps_the_id_that_was_asked_for(voice_id):
    assert voices.chosen(voice_id, among=AMONG).id == voice_id


@pytest.mark.parametrize(
    "voice_id",
    [
        "",
        "anna",
        "piper:",
        "piper:en_US-choir-medium#nobody",
        "piper:en_US-choir-medium#2",
        "piper:en_US-choir-medium#",
        "piper:en_US-choir-medium#" + "1" * 5000,
        "piper:de_DE-anna-low#0",
        "kokoro:af_heart+af_nobody",
        "kokoro:af_heart:x",
        "kokoro:af_heart:0",
        "kokoro:af_heart+piper:de_DE-anna-low",
    ],
)
def test_what_is_no_voice_is_none(voice_id):
    assert voices.chosen(voice_id, among=AMONG) is None


def test_a_voice_is_described_with_its_speakers_and_a_sentence_to_try_it():
    assert voices.described(CHOIR) == {
        "id": "piper:en_US-choir-medium",
        "name": "choir",
        "language": "en-US",
        "engine": "piper",
        "quality": "neural",
        "sample_rate_hz": 22_050,
        "speakers": ["zoe", "adam"],
        "sample_text": "Hello, this is how I sound when I speak.",
    }


def test_every_language_of_kokoro_has_a_sample_and_no_sample_is_made_up():
    assert all(voice_samples.sample_text(voice.language) for voice in VOICES)
    assert voice_samples.sample_text("eo") is None


def test_the_voices_of_the_configured_engines_are_known(settings, tmp_path):
    build_piper_voice(tmp_path, "de_DE-anna-low", "de_DE")
    settings.VOICE = settings.VOICE | {"PIPER_VOICES_DIR": tmp_path, "TTS_ENGINES": ["piper", "espeak"]}

    known = voices.known()

    assert known[0].id == "piper:de_DE-anna-low"
    assert {voice.quality for voice in known} == {"neural", "last_resort"}
