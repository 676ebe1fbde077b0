"""The voice sockets of the running system, with its API key, real processes and stand-in models."""

import asyncio
import base64
import json

import numpy as np
import psutil
import pytest
import websockets

from tests.conftest import STANDIN_SENTENCE
from tests.sizes import sizes
from tests.sounds import encode_wav
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples

pytestmark = pytest.mark.flows

WITHIN_S = 120


@pytest.fixture
async def connect(stack):
    """Open a socket of the service with the demo's key."""
    key = (await asyncio.to_thread(lambda: stack.demo))["api_key"]

    def connect(path: str, **options):
        url = stack.url.replace("http", "ws") + path
        headers = {"Authorization": f"Bearer {key}"}
        return websockets.connect(url, additional_headers=headers, max_size=None, **options)

    return connect


async def next_of(socket, kind: str) -> dict:
    """Return the next message of this type; an error ends the wait."""
    while True:
        message = await asyncio.wait_for(socket.recv(), WITHIN_S)
        if isinstance(message, str):
            fields = json.loads(message)
            if fields["type"] == kind:
                return fields
            assert fields["type"] != "error", fields


async def say(socket, kind: str, **fields) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def test_speech_is_heard(connect):
    pcm = s16le_from_samples(spoken("I worked on it for two years.", pause_s=1.0))
    async with connect("/ws/asr") as socket:
        await say(socket, "config", language="en")
        for at in range(0, len(pcm), 8000):
            await socket.send(pcm[at : at + 8000])
        start = await next_of(socket, "speech_start")
        final = await next_of(socket, "final")
        await say(socket, "end")
        done = await next_of(socket, "done")

    assert final["text"].lower().strip(" .") == STANDIN_SENTENCE
    assert [w["word"].strip().lower() for w in final["words"]] == STANDIN_SENTENCE.split()
    assert final["start"] == start["timestamp"]
    assert done["duration"] == pytest.approx(len(pcm) / 32_000, abs=0.01)


async def test_text_is_spoken(connect):
    async with connect("/ws/tts/") as socket:
        await say(socket, "synthesize", text="Good morning. How are you?", language="en", request_id=1)
        chunks, samples = [], []
        while True:
            message = json.loads(await asyncio.wait_for(socket.recv(), WITHIN_S))
            if message["type"] == "synthesis_complete":
                break
            chunks.append(message)
            samples.append(np.frombuffer(await socket.recv(), "<f4"))

    assert [chunk["type"] for chunk in chunks] == ["audio_chunk"] * message["chunks_sent"]
    assert sum(map(len, samples)) / 24 == pytest.approx(message["total_duration_ms"], abs=20)
    assert np.abs(np.concatenate(samples)).max() > 0.01


async def test_both_directions_in_json(connect):
    file = encode_wav(s16le_from_samples(spoken("Hello there.")), rate_hz=16_000)
    async with connect("/ws/voice") as socket:
        await say(socket, "text", text="Good morning.", id="a")
        message = await next_of(socket, "audio")
        await say(socket, "audio", audio=base64.b64encode(file).decode(), language="en", id="b")
        transcript = await next_of(socket, "transcript")

    assert message["id"] == "a"
    assert base64.b64decode(message["audio"])[:4] == b"RIFF"
    assert transcript["id"] == "b"
    assert transcript["text"].lower().strip(" .") == STANDIN_SENTENCE


async def test_nobody_without_a_key_is_let_in(stack):
    for path in ("/ws/asr", "/ws/tts", "/ws/voice"):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(stack.url.replace("http", "ws") + path)
        assert refused.value.response.status_code == 403


@sizes("count", short=300, proof=1000)
async def test_client_that_never_reads_costs_little_memory(connect, stack, count):
    """It asks again and again for speech that the cache has: nothing else slows the server down."""

    def held() -> int:
        return sum(psutil.Process(pid).memory_info().rss for pid in stack.pids("web"))

    text = "This is a sentence that nobody listens to. " * 5
    async with connect("/ws/tts") as reader:
        await say(reader, "synthesize", text=text, language="en")
        await next_of(reader, "synthesis_complete")
    before = held()
    async with connect("/ws/tts", max_queue=1, ping_interval=None) as socket:
        asking = asyncio.create_task(ask_again_and_again(socket, text, count))
        await asyncio.wait([asking], timeout=count / 100)
        grown = held() - before
        asking.cancel()
        await asyncio.wait([asking])
        socket.transport.abort()

    assert grown < 20_000_000


async def ask_again_and_again(socket, text: str, count: int) -> None:
    for n in range(count):
        await say(socket, "synthesize", text=text, language="en", request_id=n)
        await asyncio.sleep(0.005)  # otherwise most would be refused because of the queue
