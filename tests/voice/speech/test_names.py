import hashlib

import pytest

from voice.service import synthesis
from voice.service.requests import SpeechRequest
from voice.speech.names import text_name

SAID = {"voice": "v", "language": "en", "tenant": "organisation:1"}


def test_name_is_the_same_for_text_that_sounds_the_same():
    spaced = text_name(" Hello  there ", voice="piper:a", language="en_US", tenant="o")

    assert spaced == text_name("Hello there", voice="piper:a", language="en-us", tenant="o")


@pytest.mark.parametrize("other", [{"voice": "w"}, {"language": "de"}, {"tenant": "organisation:2"}])
def test_name_differs_with_each_part(other):
    assert text_name("Hi", **SAID) != text_name("Hi!", **SAID)
    assert text_name("Hi", **SAID) != text_name("Hi", **SAID | other)


def test_name_cannot_be_guessed_from_the_text(settings):
    name = text_name("Hi", **SAID)
    settings.SECRET_KEY = "another"

    assert len(name) == 64
    assert int(name, 16) >= 0
    assert name != hashlib.sha256(b"Hi\x1fv\x1fen").hexdigest()  # the name in earlier releases
    assert text_name("Hi", **SAID) != name


def test_cache_key_depends_on_everything_that_is_heard_and_on_the_tenant():
    said = {
        "text": "Good morning.",
        "voice": "",
        "language": "en",
        "speed": 1.0,
        "emotion": "",
        "format": "pcm",
    }
    others = {
        "text": "Good evening.",
        "voice": "piper:x",
        "language": "de",
        "speed": 1.5,
        "emotion": "calm",
        "format": "mp3",
    }

    def key(tenant="organisation:1", **changed):
        return synthesis.cache_key(SpeechRequest.checked(**said | changed), tenant)

    keys = {key(**{name: value}) for name, value in others.items()}
    assert len(keys | {key(), key("organisation:2")}) == len(others) + 2
    assert key() == key()
