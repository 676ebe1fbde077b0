"""`/ws/tts` with the fake engine: replies to each message, and to each error."""

import base64
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from tests.voice.sockets.client import CALLER, Client
from voice.callers import Caller
from voice.errors import SynthesisFailed
from voice.models import ClonedVoice
from voice.sockets import tts

RATE_HZ = 24_000
NUMBERS = ["One", "Two", "Three", "Four", "Five", "Six"]
TEXT = "Good morning. How are you?"


@pytest.fixture
async def client(worker):
    return await Client("ws/tts").open()


async def spoken(client) -> tuple[list[dict], list[np.ndarray], dict]:
    """Return the chunks of one text (messages and samples), and the last message."""
    chunks, audio = [], []
    while True:
        message = await client.next()
        assert isinstance(message, dict), "a binary message that no audio_chunk announced"
        if message["type"] == "synthesis_complete":
            return chunks, audio, message
        assert message["type"] == "audio_chunk", message
        chunks.append(message)
        body = await client.next()
        assert isinstance(body, bytes), "an audio_chunk without its binary message"
        audio.append(np.frombuffer(body, "<f4"))


async def test_text_is_spoken_in_chunks_of_float32(client):
    await client.say("synthesize", text=TEXT, voice_id="fake:en-US")
    chunks, audio, complete = await spoken(client)

    assert [chunk["chunk_id"] for chunk in chunks] == list(range(len(chunks)))
    assert all(len(a) <= tts.CHUNK_SAMPLES for a in audio)
    assert [c["duration_ms"] for c in chunks] == [round(1000 * len(a) / RATE_HZ, 3) for a in audio]
    samples = np.concatenate(audio)
    assert 0.1 < np.abs(samples).max() <= 1
    assert len(samples) / RATE_HZ == pytest.approx(0.05 * len(TEXT.replace(" How", "How")), abs=0.1)
    assert complete["chunks_sent"] == len(chunks)
    assert complete["total_duration_ms"] == pytest.approx(1000 * len(samples) / RATE_HZ, abs=10)
    assert (complete["cached"], complete["voice"], complete["engine"]) == (False, "fake:en-US", "fake")
    assert complete["first_chunk_ms"] > 0


async def test_second_time_comes_from_the_cache(client, worker):
    await client.say("synthesize", text=TEXT)
    _, first, _ = await spoken(client)
    await client.say("synthesize", text=TEXT)
    _, second, complete = await spoken(client)

    assert complete["cached"]
    assert len(worker.synthesis.spoken) == 2  # two sentences, once
    assert np.array_equal(np.concatenate(first), np.concatenate(second))


async def test_request_id_is_in_every_message(client):
    await client.say("synthesize", text="Hello.", request_id="greeting")
    chunks, _, complete = await spoken(client)

    assert {m["request_id"] for m in [*chunks, complete]} == {"greeting"}


async def test_chunk_size_is_in_samples(client):
    await client.say("synthesize", text="Hello there.", chunk_size=1000)
    _, audio, _ = await spoken(client)

    assert {len(a) for a in audio[:-2]} == {1000}


class HeldSpeech:
    """An engine that synthesises one sentence and then waits for the test."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.may_go_on = threading.Event()

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def synthesize(self, text, **options):
        for n, chunk in enumerate(self.engine.synthesize(text, **options)):
            if n:
                assert self.may_go_on.wait(120)
            yield chunk


@pytest.fixture
def held(worker):
    """An engine that stops after each text's first sentence until `held.may_go_on` is set."""
    worker.synthesis = held = HeldSpeech(worker.synthesis)
    yield held
    held.may_go_on.set()


async def test_first_sentence_is_sent_before_the_second_is_spoken(client, held):
    await client.say("synthesize", text=TEXT)

    assert (await client.next())["type"] == "audio_chunk"
    assert isinstance(await client.next(), bytes)
    held.may_go_on.set()
    await client.until("synthesis_complete")


async def test_without_streaming_nothing_is_sent_before_all_is_spoken(client, held):
    await client.say("synthesize", text=TEXT, streaming=False)
    await client.still_answers()  # pong is the next message, without audio before it
    assert await client.socket.receive_nothing()

    held.may_go_on.set()
    _, audio, complete = await spoken(client)
    assert complete["total_duration_ms"] == pytest.approx(1000 * sum(map(len, audio)) / RATE_HZ, abs=10)


async def test_texts_are_spoken_one_after_the_other(client):
    for n in range(3):
        await client.say("synthesize", text=f"This is number {n}.", request_id=n)

    assert [(await spoken(client))[2]["request_id"] for _ in range(3)] == [0, 1, 2]


async def test_too_many_texts_at_once_are_refused(client, held):
    for n in range(tts.MAX_WAITING + 1):
        await client.say("synthesize", text=f"{NUMBERS[n]} is next. And more.", request_id=n)
    await client.say("synthesize", text="One too many.", request_id="late")

    refused = await client.until_error()
    assert (refused["code"], refused["request_id"]) == ("busy", "late")
    assert refused["retry_after_s"] > 0
    held.may_go_on.set()
    ids = [(await client.until("synthesis_complete"))["request_id"] for _ in range(tts.MAX_WAITING + 1)]
    assert ids == list(range(tts.MAX_WAITING + 1))


async def test_cancel_stops_the_text_and_those_that_wait(client, held):
    for n in range(3):
        await client.say("synthesize", text=f"{NUMBERS[n]} is next. And more.", request_id=n)
    await client.until("audio_chunk")
    await client.say("cancel")
    assert (await client.until("cancelled"))["count"] == 3

    held.may_go_on.set()
    await client.say("synthesize", text="Something else.", request_id="next")
    assert (await client.until("synthesis_complete"))["request_id"] == "next"


async def test_cancel_of_one_text_leaves_the_others(client, held):
    for n in range(3):
        await client.say("synthesize", text=f"{NUMBERS[n]} is next. And more.", request_id=n)
    await client.say("cancel", request_id=1)
    cancelled = await client.until("cancelled")
    assert (cancelled["count"], cancelled["request_id"]) == (1, 1)

    held.may_go_on.set()
    assert [(await client.until("synthesis_complete"))["request_id"] for _ in range(2)] == [0, 2]


async def test_text_that_fails_is_told_and_the_next_is_spoken(client, worker, monkeypatch):
    def fail(text, **options):
        raise SynthesisFailed("The model failed on this text.")

    monkeypatch.setattr(worker.synthesis, "synthesize", fail)
    await client.say("synthesize", text="Hello.", request_id=1)
    error = await client.until_error()
    assert (error["code"], error["request_id"]) == ("text_rejected", 1)

    monkeypatch.undo()


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, "bad_value", "text"),
        ({"text": ""}, "bad_value", "text"),
        ({"text": 5}, "bad_value", "text"),
        ({"text": "\x00\x1b \u200b"}, "bad_value", "text"),
        ({"text": "a" * 5001}, "bad_value", "text"),
        ({"text": "<speak>Hello <break time='9s'/>you.</speak>"}, "bad_value", "text"),
        ({"text": "word " * 200_000}, "bad_value", "text"),
        ({"text": "Hi.", "voice_id": ["fake:en-US"]}, "bad_value", "voice_id"),
        ({"text": "Hi.", "language": "klingon!"}, "bad_value", "language"),
        ({"text": "Hi.", "language": "tlh"}, "bad_value", "language"),
        ({"text": "Расскажите о себе."}, "bad_value", "text"),
        ({"text": "Hi.", "speed": 9}, "bad_value", "speed"),
        ({"text": "Hi.", "speed": "fast"}, "bad_value", "speed"),
        ({"text": "Hi.", "emotion": "x" * 100}, "bad_value", "emotion"),
        ({"text": "Hi.", "streaming": "no"}, "bad_value", "streaming"),
        ({"text": "Hi.", "chunk_size": 1}, "bad_value", "chunk_size"),
        ({"text": "Hi.", "chunk_size": 10**9}, "bad_value", "chunk_size"),
        ({"text": "Hi.", "chunk_size": 4800.0}, "bad_value", "chunk_size"),
        ({"text": "Hi.", "request_id": {}}, "bad_value", "request_id"),
    ],
)
async def test_bad_text_is_refused_by_field(client, fields, code, field):
    error = await client.error("synthesize", **fields)

    assert (error["code"], error["field"]) == (code, field)
    assert field in error["detail"]
    await client.say("synthesize", text="Hello.")
    await spoken(client)


@pytest.mark.django_db(transaction=True)  # the voice may be a registered one
async def test_unknown_voice_is_refused(client):
    error = await client.error("synthesize", text="Hi.", voice_id="fake:nobody", request_id=1)

    assert (error["code"], error["field"], error["request_id"]) == ("bad_value", "voice_id", 1)
    assert error["detail"].startswith("voice_id: ")
    await client.still_answers()


async def test_control_characters_are_nothing(client, worker):
    await client.say("synthesize", text="Hello\x07 you.\x00")
    await spoken(client)

    assert worker.synthesis.spoken == ["Hello you."]


# register_voice


@pytest.fixture
def cloning(monkeypatch):
    """An engine that records registered voices."""
    from voice.speech import cloning

    calls = []

    def register(**fields):
        calls.append(fields)
        return SimpleNamespace(name=fields["voice_id"])

    monkeypatch.setattr(cloning, "register", register)
    return calls


REFERENCE = base64.b64encode(b"RIFF....").decode()


async def test_voice_is_registered_for_the_callers_owner(client, cloning):
    await client.say("register_voice", voice_id="anna", reference_audio=REFERENCE, consent=True)

    assert (await client.until("voice_registered"))["voice_id"] == "anna"
    expected = {
        "voice_id": "anna",
        "owner": CALLER.owner,
        "reference_audio": b"RIFF....",
        "has_consent": True,
    }
    assert cloning == [expected]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"consent": False}, "consent_missing", "consent"),
        ({"consent": "yes"}, "bad_value", "consent"),
        ({"voice_id": ""}, "bad_value", "voice_id"),
        ({"voice_id": None}, "bad_value", "voice_id"),
        ({"reference_audio": ""}, "bad_value", "reference_audio"),
        ({"reference_audio": "no base64!"}, "bad_value", "reference_audio"),
        ({"reference_audio": "A" * (7 * 1024**2)}, "too_large", "reference_audio"),
    ],
)
async def test_bad_registration_is_refused_by_field(client, cloning, change, code, field):
    fields = {"voice_id": "anna", "reference_audio": REFERENCE, "consent": True} | change
    error = await client.error("register_voice", **fields)

    assert (error["code"], error["field"]) == (code, field)
    assert cloning == []


async def test_who_is_not_known_registers_no_voice(cloning):
    unknown = Caller(id="address:192.0.2.1", owner="", name="")
    client = await Client("ws/tts", caller=unknown).open()
    error = await client.error("register_voice", voice_id="anna", reference_audio=REFERENCE, consent=True)

    assert error["code"] == "forbidden"
    assert cloning == []


async def test_installation_without_cloning_says_how_to_get_it(client):
    error = await client.error("register_voice", voice_id="anna", reference_audio=REFERENCE, consent=True)

    assert error["code"] == "engine_unavailable"
    assert "chatterbox" in error["detail"]


# list_voices, erase_voice


@pytest.mark.django_db(transaction=True)
async def test_voices_are_listed_and_erased_by_whoever_registered_them(client):
    row = {"duration_ms": 4000, "has_consent": True}
    await ClonedVoice.objects.acreate(owner=CALLER.owner, name="anna", **row)
    await ClonedVoice.objects.acreate(owner="organisation:other", name="berta", **row)
    await client.say("list_voices", request_id=1)
    listed = await client.until("registered_voices")
    assert ([voice["voice_id"] for voice in listed["voices"]], listed["request_id"]) == (["anna"], 1)

    error = await client.error("erase_voice", voice_id="berta")
    assert (error["code"], error["field"]) == ("not_found", "voice_id")
    await client.say("erase_voice", voice_id="anna")
    assert (await client.until("voice_erased"))["voice_id"] == "anna"
    assert [voice.name async for voice in ClonedVoice.objects.all()] == ["berta"]
