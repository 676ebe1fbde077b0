"""Synthesised speech is recognised, and what was heard otherwise is noted."""

import contextlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests import factories, real_models
from tests.fakes import FakeRecognition
from voice.audio import encoding, pcm
from voice.engines import registry
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.tts.piper import Piper
from voice.inference import recognizer
from voice.inference.synthesizer import Synthesizer
from voice.workers.listening import listen_back

pytestmark = pytest.mark.django_db


def listened(text, *, language="en", **fields):
    """The words that are noted of rendered speech."""
    row = factories.SpeechFactory(text=text, language=language, ready=True, **fields)
    listen_back(row.key)
    row.refresh_from_db()
    return row.misheard


def test_words_heard_otherwise_are_noted(engines):
    engines.recognition.says = "Did you know post crack SQL?"

    assert listened("Do you know PostgreSQL?") == "Do PostgreSQL"


def test_speech_that_is_understood_is_noted_too(engines):
    engines.recognition.says = "did you lead 12 people"

    assert listened("Did you lead twelve people?") == ""


def test_words_that_are_pronounced_otherwise_are_compared_as_they_are_written(engines):
    engines.recognition.says = "have you met Nguyen"

    assert listened("Have you met win?", written="Have you met Nguyen?") == ""


def test_it_is_listened_to_once(engines):
    row = factories.SpeechFactory(ready=True)

    for _ in range(2):
        listen_back(row.key)

    assert len(engines.recognition.heard) == 1


def test_speech_that_is_not_ready_or_gone_is_left(engines):
    listen_back(factories.SpeechFactory().key)
    listen_back("gone")

    assert engines.recognition.heard == []


@pytest.mark.parametrize("language", ["fr", "zh"])
def test_without_a_recogniser_or_without_spaces_nothing_is_noted(engines, language):
    engines.recognition = FakeRecognition(languages=("en", "zh"))

    assert listened("Une question ?", language=language) is None
    assert engines.recognition.heard == []


def test_the_last_resort_judges_nothing(engines, monkeypatch):
    monkeypatch.setattr(engines.recognition, "name", registry.LAST_RESORT)

    assert listened("Do you know PostgreSQL?") is None
    assert engines.recognition.heard == []


def test_a_text_in_another_script_judges_nothing(engines):
    engines.recognition.says = "نمستے کام"

    assert listened("What did you learn?") is None


def test_rendering_queues_the_check_behind_other_recognition(
    queued, engines, django_capture_on_commit_callbacks
):
    from voice.workers.rendering import render_speech

    row = factories.SpeechFactory()
    with django_capture_on_commit_callbacks(execute=True):
        render_speech(row.key)

    assert queued("stt-batch") == [f"listen-{row.key}"]


def listened_to_piper(text, model, monkeypatch):
    """What the real recogniser's model notes of the real voice."""
    said = Synthesizer([Piper(real_models.piper())]).synthesize(text, voice=None, language="en")
    flac = encoding.encode_flac(pcm.s16le_from_samples(said.samples), rate_hz=said.sample_rate_hz)
    with contextlib.closing(FasterWhisper(str(real_models.whisper(model)), device="cpu")) as whisper:
        monkeypatch.setattr(recognizer, "recognizer", lambda: recognizer.Recognizer([whisper]))
        return listened(text, storage_name=default_storage.save("speech/real.flac", ContentFile(flac)))


@pytest.mark.real
def test_real_models_do_not_understand_a_misspelt_word(clean_redis, monkeypatch):
    assert "Kbrnts" in listened_to_piper("How do you use Kbrnts?", "tiny.en", monkeypatch)


@pytest.mark.real
@pytest.mark.proof
@pytest.mark.parametrize(
    "text",
    [
        "Tell me about a project that you are proud of.",
        "What would you do differently today?",
        "How did you persuade 12 colleagues of your favourite programme?",
    ],
)
def test_real_models_understand_a_question(clean_redis, monkeypatch, text):
    assert listened_to_piper(text, "base", monkeypatch) == ""
