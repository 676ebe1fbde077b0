"""`/ws/voice` with the fake engines: both directions in JSON, and every error."""

import asyncio
import base64
import threading

import numpy as np
import pytest

from tests.sounds import encode, encode_wav, stated_seconds
from tests.speech import spoken
from tests.voice.sockets.client import Client
from voice.audio import decoding, pcm
from voice.errors import EngineUnavailable
from voice.sockets.voice import MAX_UNDER_WAY
from voice.text import sentiment


@pytest.fixture
async def client(worker):
    return await Client("ws/voice").open()


def base64_wav(seconds: float = 1.0) -> str:
    samples = np.sin(np.arange(int(16_000 * seconds)) / 20).astype(np.float32) * 0.3
    return base64.b64encode(encode_wav(pcm.s16le_from_samples(samples), rate_hz=16_000)).decode()


async def test_text_becomes_a_wav_file(client):
    await client.say("text", text="Good morning.")
    message = await client.until("audio")

    file = base64.b64decode(message["audio"])
    assert file[:4] == b"RIFF"
    samples = decoding.decode(file, rate_hz=24_000)
    assert message["duration"] == pytest.approx(len(samples) / 24_000, abs=0.01)
    assert message["latency_ms"] > 0
    assert (message["cached"], message["voice"], message["format"]) == (False, "fake:en-US", "wav")
    assert "sentiment" not in message


async def test_same_text_again_is_cached(client, worker):
    first, second = [await said(client, text="Good morning.") for _ in range(2)]

    assert (first["cached"], second["cached"]) == (False, True)
    assert first["audio"] == second["audio"]
    assert len(worker.synthesis.spoken) == 1


async def said(client, **fields) -> dict:
    await client.say("text", **fields)
    return await client.until("audio")


async def test_another_format_is_sent_when_asked_for(client):
    message = await said(client, text="Good morning.", format="flac")

    assert base64.b64decode(message["audio"])[:4] == b"fLaC"


@pytest.mark.parametrize("file_format", ["wav", "flac", "mp3", "opus"])
async def test_file_states_its_true_length(client, file_format):
    message = await said(client, text="Good morning.", format=file_format)

    stated_s = stated_seconds(base64.b64decode(message["audio"]))
    assert stated_s == pytest.approx(message["duration"], abs=0.15)


async def test_speed_makes_it_shorter(client):
    usual = await said(client, text="Good morning.")
    fast = await said(client, text="Good morning.", speed=2.0)

    assert fast["duration"] == pytest.approx(usual["duration"] / 2, abs=0.05)


async def test_audio_becomes_a_transcript(client, worker):
    await client.say("audio", audio=base64_wav(2.0), language="en", id=7)
    message = await client.until("transcript")

    assert message["text"] == worker.recognition.says
    assert (message["language"], message["language_probability"]) == ("en", 1.0)
    assert message["duration"] == pytest.approx(2.0)
    assert message["segments"][0]["words"][0]["word"] == "I"
    assert message["id"] == 7


async def test_language_is_detected_without_one(client, worker):
    await client.say("audio", audio=base64_wav())
    message = await client.until("transcript")

    assert (message["language"], message["language_probability"]) == ("en", 0.9)
    assert worker.recognition.heard[0].language is None


async def test_recording_of_speech_is_heard_in_any_usual_format(client):
    flac = audio_file("flac")
    await client.say("audio", audio=base64.b64encode(flac).decode(), language="en")

    assert (await client.until("transcript"))["text"]


def audio_file(container: str) -> bytes:
    return encode(spoken("Hello there."), rate_hz=16_000, container=container)


# Requests that overlap


class HeldRecognition:
    """An engine that waits for the test before it returns."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.may_go_on = threading.Event()

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def recognize(self, samples, **options):
        assert self.may_go_on.wait(120)
        return self.engine.recognize(samples, **options)


@pytest.fixture
def held(worker):
    worker.recognition = held = HeldRecognition(worker.recognition)
    yield held
    held.may_go_on.set()


async def test_quick_request_overtakes_a_slow_one(client, held):
    await client.say("audio", audio=base64_wav(), language="en", id="slow")
    await client.say("text", text="Good morning.", id="quick")

    assert (await client.next())["id"] == "quick"
    held.may_go_on.set()
    assert (await client.next())["id"] == "slow"


async def test_too_many_requests_at_once_are_refused(client, held):
    for n in range(MAX_UNDER_WAY):
        await client.say("audio", audio=base64_wav(), language="en", id=n)
    error = await client.error("text", text="Good morning.", id="late")

    assert (error["code"], error["id"]) == ("busy", "late")
    assert error["retry_after_s"] > 0
    held.may_go_on.set()
    for _ in range(MAX_UNDER_WAY):
        await client.until("transcript")
    await said(client, text="Good morning.")


async def test_long_texts_at_once_are_refused(client, worker, monkeypatch):
    may_go_on = threading.Event()
    synthesize = worker.synthesis.synthesize

    def wait(text, **options):
        assert may_go_on.wait(120)
        return synthesize(text, **options)

    monkeypatch.setattr(worker.synthesis, "synthesize", wait)
    monkeypatch.setattr("voice.sockets.voice.MAX_CHARS_UNDER_WAY", 30)
    await client.say("text", text="These are twenty-five letters.")
    error = await client.error("text", text="And more of them.")

    assert error["code"] == "busy"
    may_go_on.set()
    await client.until("audio")


async def test_client_that_leaves_lets_the_work_be_dropped(client, held, clean_redis):
    await client.say("audio", audio=base64_wav(), language="en")
    while not clean_redis.keys("voice:call:*"):  # noqa: ASYNC110  Redis sends no event
        await asyncio.sleep(0.01)
    await client.close()

    assert not clean_redis.keys("voice:call:*")


# Sentiment


@pytest.fixture
def judged(monkeypatch):
    """The analysed texts; every English one is positive."""
    judged = []

    def analyse(text, *, language):
        judged.append(text)
        is_known = language.startswith("en")
        return sentiment.Sentiment(0.7, 0.6, "positive", ("lovely",), ("day",)) if is_known else None

    monkeypatch.setattr(sentiment, "analyse", analyse)
    return judged


async def test_sentiment_is_judged_only_when_asked_for(client, judged):
    assert "sentiment" not in await said(client, text="What a lovely day.")
    message = await said(client, text="What a lovely day.", sentiment=True)

    assert message["sentiment"]["polarity"] == 0.7
    assert message["sentiment"]["subjectivity"] == 0.6
    assert message["sentiment"]["label"] == "positive"
    assert judged == ["What a lovely day."]


async def test_sentiment_of_another_language_is_null(client, judged):
    assert (await said(client, text="Ein schöner Tag.", language="de", sentiment=True))["sentiment"] is None


async def test_missing_library_for_sentiment_is_told(client, monkeypatch):
    def missing(text, *, language):
        raise EngineUnavailable("Sentiment is not here; install this project with its extra [sentiment].")

    monkeypatch.setattr(sentiment, "analyse", missing)
    error = await client.error("text", text="What a day.", sentiment=True, id=1)

    assert (error["code"], error["id"]) == ("engine_unavailable", 1)
    assert "[sentiment]" in error["detail"]


# Mistakes


@pytest.mark.parametrize(
    ("kind", "fields", "code", "field"),
    [
        ("text", {}, "bad_value", "text"),
        ("text", {"text": None}, "bad_value", "text"),
        ("text", {"text": "a" * 5001}, "bad_value", "text"),
        ("text", {"text": "x " * 500_000}, "bad_value", "text"),
        ("text", {"text": "Hi.", "voice_id": 5}, "bad_value", "voice_id"),
        ("text", {"text": "Hi.", "format": "midi"}, "bad_value", "format"),
        ("text", {"text": "Hi.", "speed": None}, "bad_value", "speed"),
        ("text", {"text": "Hi.", "sentiment": 1}, "bad_value", "sentiment"),
        ("text", {"text": "Hi.", "id": [1]}, "bad_value", "id"),
        ("audio", {}, "bad_value", "audio"),
        ("audio", {"audio": ""}, "bad_value", "audio"),
        ("audio", {"audio": 5}, "bad_value", "audio"),
        ("audio", {"audio": "no base64!"}, "bad_value", "audio"),
        ("audio", {"audio": "äöü="}, "bad_value", "audio"),
        ("audio", {"audio": "UklGRg==", "language": "!"}, "bad_value", "language"),
        ("audio", {"audio": "UklGRg==", "hot_words": "x" * 1001}, "bad_value", "hot_words"),
        ("audio", {"audio": "UklGRg==", "id": "i" * 101}, "bad_value", "id"),
    ],
)
async def test_bad_request_is_refused_by_field(client, kind, fields, code, field):
    error = await client.error(kind, **fields)

    assert (error["code"], error["field"]) == (code, field)
    assert field in error["detail"]
    await client.still_answers()


@pytest.mark.django_db(transaction=True)  # the voice may be a registered one
async def test_unknown_voice_is_refused(client):
    error = await client.error("text", text="Hi.", voice_id="nobody", id=1)

    assert (error["code"], error["field"], error["id"]) == ("bad_value", "voice_id", 1)
    await client.still_answers()


async def test_file_that_is_no_audio_is_rejected_and_the_worker_works_on(client):
    error = await client.error("audio", audio=base64.b64encode(b"PK\x03\x04" * 1000).decode(), id=1)
    assert (error["code"], error["id"]) == ("audio_rejected", 1)

    await said(client, text="Good morning.")


async def test_audio_over_the_limit_is_refused(client, settings):
    settings.VOICE = settings.VOICE | {"MAX_UPLOAD_MB": 0.01}
    error = await client.error("audio", audio="A" * 20_000)

    assert (error["code"], error["field"]) == ("too_large", "audio")


async def test_language_that_nobody_hears_is_told(client):
    error = await client.error("audio", audio=base64_wav(), language="fr")

    assert error["code"] == "language_unsupported"


async def test_binary_message_is_refused(client):
    await client.send(binary=b"\0\0")
    error = await client.until_error()

    assert error["code"] == "bad_message"
    await client.still_answers()
