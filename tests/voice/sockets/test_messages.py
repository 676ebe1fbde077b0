"""Fields of messages, and nonsense messages."""

import base64
import json
import random
import threading

import pytest

from tests.voice.sockets.client import Client
from voice.errors import RequestRefused
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
        "list_voices": ["request_id"],
        "erase_voice": ["voice_id", "request_id"],
        "cancel": ["request_id"],
    },
    "ws/voice": {
        "text": ["text", "voice_id", "language", "speed", "format", "sentiment", "id"],
        "audio": ["audio", "language", "hot_words", "id"],
    },
}


@pytest.mark.django_db(transaction=True)  # reads registered voices
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


@pytest.mark.parametrize("byte_count", [0, 1, messages.LARGE_BYTES, 2 * messages.PIECE_BYTES + 1])
async def test_audio_is_encoded_whole(byte_count):
    audio = bytes(range(256)) * (byte_count // 256 + 1)
    text = await messages.encoded({"type": "audio", "audio": bytearray(audio[:byte_count]), "id": "\ud800ä"})

    expected = {"type": "audio", "audio": base64.b64encode(audio[:byte_count]).decode(), "id": "\ud800ä"}
    assert json.loads(text) == expected


@pytest.mark.parametrize(("byte_count", "is_here"), [(100, True), (messages.LARGE_BYTES + 1, False)])
async def test_only_large_audio_is_encoded_in_a_thread(monkeypatch, byte_count, is_here):
    threads = []
    monkeypatch.setattr(messages, "_encoded", lambda message: threads.append(threading.current_thread()))
    await messages.encoded({"type": "audio", "audio": bytes(byte_count)})

    assert (threads == [threading.current_thread()]) is is_here
