"""Fields of messages, and messages made of nonsense."""

import random

import pytest

from tests.voice.sockets.client import Client
from voice.engines.base import RequestRefused
from voice.sockets import messages

NONSENSE = [
    None,
    True,
    -1,
    0,
    1.5,
    10**30,
    float("1e308"),
    "",
    "x",
    "\x00",
    "ß" * 300,
    [],
    [[]],
    {},
    {"a": {}},
]
FIELDS = {
    "ws/asr": {
        "config": ["sample_rate", "encoding", "language", "hot_words", "interim", "silence_ms", "model"],
        "end": [],
    },
    "ws/tts": {
        "synthesize": ["text", "voice_id", "language", "speed", "streaming", "chunk_size", "request_id"],
        "register_voice": ["voice_id", "reference_audio", "consent", "request_id"],
        "cancel": ["request_id"],
    },
    "ws/voice": {
        "text": ["text", "voice_id", "language", "speed", "format", "sentiment", "id"],
        "audio": ["audio", "language", "hot_words", "id"],
    },
}


@pytest.mark.django_db(transaction=True)  # voices that somebody registered
@pytest.mark.parametrize("path", FIELDS)
async def test_nonsense_is_answered_and_disturbs_nothing(worker, path):
    chance = random.Random(path)
    client = await Client(path).open()
    for _ in range(150):
        kind = chance.choice(list(FIELDS[path]))
        fields = {name: chance.choice(NONSENSE) for name in FIELDS[path][kind] if chance.random() < 0.8}
        await client.say(kind, **fields)
        message = await client.next()
        while isinstance(message, bytes) or message["type"] == "audio_chunk":
            message = await client.next()
        if message["type"] == "error":
            assert message["code"] != "internal_error"
            assert len(message["detail"]) < 300
    await client.still_answers()


@pytest.mark.parametrize("value", [1, 0, -5, "a", "a" * 100])
def test_identifier_is_given_back_as_it_came(value):
    assert messages.identifier({"id": value}, "id") == value
    assert messages.names({"id": value, "request_id": []}) == {"id": value}


@pytest.mark.parametrize("value", [True, 1.5, [], {}, "a" * 101, 10**200])
def test_identifier_that_is_none_is_refused(value):
    with pytest.raises(RequestRefused, match="id: "):
        messages.identifier({"id": value}, "id")


def test_base64_is_measured_before_it_is_decoded():
    with pytest.raises(RequestRefused) as refused:
        messages.from_base64({"audio": "!" * 1000}, "audio", limit_bytes=100)
    assert refused.value.code == "too_large"


def test_error_names_the_field_as_the_socket_does():
    error = RequestRefused("voice", "there is no such voice.")

    assert messages.error_fields(error, {"voice": "voice_id"}) == {
        "code": "bad_value",
        "detail": "voice_id: there is no such voice.",
        "field": "voice_id",
    }


def test_defect_is_no_error_message():
    assert messages.error_fields(ValueError("private")) is None
