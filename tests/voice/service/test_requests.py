"""Validation of requests to the speech service."""

import pytest

from voice.errors import RequestRefused
from voice.service.requests import SpeechRequest, TranscriptionRequest


def test_speech_text_is_normalised():
    request = SpeechRequest.checked(text="  Good\u0000 \n morning. ")

    assert request.text == "Good morning."


@pytest.mark.parametrize(
    ("values", "field", "limit"),
    [
        ({"text": ""}, "text", "at least one word"),
        ({"text": " \u200b\n…"}, "text", "at least one word"),
        ({"text": None}, "text", "at least one word"),
        ({"text": 7}, "text", "string"),
        ({"text": "a" * 5001}, "text", "at most 5000"),
        ({"voice": ["piper"]}, "voice", "string"),
        ({"voice": "v" * 201}, "voice", "at most 200"),
        ({"voice": "an\x00na"}, "voice", "printable"),
        ({"voice": "\ud800"}, "voice", "printable"),
        ({"language": "english please"}, "language", "such as en or de-DE"),
        ({"language": "en-abcdefgh-abcdefgh"}, "language", "at most 16"),
        ({"speed": 0.2}, "speed", "0.25 to 4"),
        ({"speed": 4.1}, "speed", "0.25 to 4"),
        ({"speed": float("nan")}, "speed", "0.25 to 4"),
        ({"speed": "1"}, "speed", "0.25 to 4"),
        ({"speed": True}, "speed", "0.25 to 4"),
        ({"format": "ogg"}, "format", "wav, mp3, opus, flac, aac, pcm"),
        ({"emotion": "x" * 41}, "emotion", "at most 40"),
    ],
)
def test_speech_refusal_names_the_field_and_the_limit(values, field, limit):
    with pytest.raises(RequestRefused) as refused:
        SpeechRequest.checked(**{"text": "Good morning.", **values})

    assert refused.value.field == field
    assert limit in str(refused.value)


def test_characters_that_no_store_takes_are_left_out():
    request = SpeechRequest.checked(text="Good\ud800 morning.", emotion="ca\ud800lm")
    heard = TranscriptionRequest.checked(hot_words="Kuber\ud800netes")

    assert (request.text, request.emotion, heard.hot_words) == ("Good morning.", "calm", "Kubernetes")


def test_speech_limit_counts_characters_before_work_is_done():
    assert SpeechRequest.checked(text="a" * 5000).text == "a" * 5000


def test_transcription_takes_any_spelling_of_a_language():
    assert TranscriptionRequest.checked(language="pt_BR").language == "pt-BR"


@pytest.mark.parametrize(
    ("values", "field"),
    [({"language": "e"}, "language"), ({"language": 3}, "language"), ({"hot_words": "w" * 1001}, "prompt")],
)
def test_transcription_refusal_names_the_field(values, field):
    with pytest.raises(RequestRefused) as refused:
        TranscriptionRequest.checked(**values)

    assert refused.value.field == field
