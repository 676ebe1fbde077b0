"""Every message of the voice sockets, with values that make no sense: answered, and no defect of ours."""

import json
import logging
import random

import pytest

from tests.sizes import sizes
from tests.voice.sockets.client import Client
from voice.sockets.asr import AsrConsumer
from voice.sockets.tts import TtsConsumer
from voice.sockets.voice import VoiceSocketConsumer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

SOCKETS = {"ws/asr": AsrConsumer, "ws/tts": TtsConsumer, "ws/voice": VoiceSocketConsumer}
FIELDS = (
    "audio", "chunk_size", "consent", "emotion", "encoding", "format", "hot_words", "id", "interim",
    "language", "model", "reference_audio", "request_id", "sample_rate", "sentiment", "speed", "streaming",
    "text", "voice_id",
)  # fmt: skip
ODD = (
    None, True, -1, 0, 1.5, 10**30, float("1e308"), "", "\0", "x" * 20_000, "\ud800", "٣", [], [[]], {},
    {"a": 1}, "en", "wav", "int16", 16000, "Hello.", "UklGRg==", "*" * 50,
)  # fmt: skip
BINARY = (b"", b"1", bytes(640), b"\xff" * 641)


def message(chance: random.Random, kinds: list[str]) -> str | bytes:
    if chance.random() < 0.15:
        return chance.choice(BINARY)
    fields = {name: chance.choice(ODD) for name in chance.sample(FIELDS, chance.randrange(6))}
    kind = chance.choice([*kinds, "ping"]) if chance.random() < 0.95 else chance.choice(ODD)
    text = json.dumps({"type": kind, **fields})
    return text[: chance.randrange(len(text))] if chance.random() < 0.05 else text


@sizes("count", short=120, proof=4000)
@pytest.mark.parametrize("path", list(SOCKETS))
async def test_no_message_is_a_defect_of_ours(path, count, caplog, monkeypatch):
    monkeypatch.setattr("voice.service.synthesis.synthesize", refuse)  # no worker runs
    monkeypatch.setattr("voice.service.transcription.transcribe", refuse)
    chance = random.Random(path)
    kinds = list(SOCKETS[path]().handlers())
    client = await Client(path).open()
    for _ in range(count):
        sent = message(chance, kinds)
        kind = "bytes" if isinstance(sent, bytes) else "text"
        await client.socket.send_input({"type": "websocket.receive", kind: sent})
        await client.still_answers_after_anything()

    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []


def refuse(*args, **options):
    from voice.errors import EngineUnavailable

    raise EngineUnavailable("No worker runs.")
