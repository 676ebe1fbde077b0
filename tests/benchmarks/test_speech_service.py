"""Synthesis through the service: the delay of the first audio beyond the library's own, and a cache hit.

The voice is the tests' stand-in unless PIPER_BENCH_VOICES names a directory with a real-size one.
"""

import asyncio
import json
import os
import statistics
import time
from pathlib import Path

import httpx
import pytest
import websockets

from tests.stack import Stack
from voice.engines.tts.piper import Piper

pytestmark = pytest.mark.timeout(600)

SENTENCES = (
    "Tell me about a project that you are proud of.",
    "What would you do differently today?",
    "How did you find out that something was wrong?",
    "Who helped you, and in what way?",
)
ROUNDS = 15
HITS = 200


@pytest.fixture(scope="module")
def voices_directory(piper_voices) -> Path:
    return Path(os.environ.get("PIPER_BENCH_VOICES") or piper_voices)


@pytest.fixture(scope="module")
def service(run_directory, voices_directory):
    env = {"PIPER_VOICES_DIR": str(voices_directory), "STT_ENGINES": "pocketsphinx"}
    with Stack(run_directory / "speech-stack", env=env) as stack:
        stack.wait_ready()
        yield stack


@pytest.fixture(scope="module")
def api_key(service):
    return service.load_demo()["api_key"]


def test_first_audio_beyond_the_library(service, api_key, voices_directory, figure):
    engine = Piper(str(voices_directory))
    engine.load()
    first_audio_alone_s(engine, SENTENCES[0])  # loads the voice
    alone, ours = asyncio.run(first_audio(service.url, api_key, engine))
    beyond = [1000 * (through - raw) for through, raw in zip(ours, alone, strict=True)]
    figure("first audio of Piper alone, median", 1000 * statistics.median(alone), "ms")
    figure("first audio through /ws/tts, median", 1000 * statistics.median(ours), "ms")
    figure("the same beyond the library, median", statistics.median(beyond), "ms", "at most 15")
    figure("the same beyond the library, p95", statistics.quantiles(beyond, n=20)[-1], "ms")


async def first_audio(url: str, api_key: str, engine: Piper) -> tuple[list[float], list[float]]:
    """Seconds to the first audio, alone and through the service in turns; no text is used twice."""
    alone, ours = [], []
    headers = {"Authorization": f"Bearer {api_key}"}
    address = url.replace("http", "ws", 1) + "/ws/tts"
    async with websockets.connect(address, additional_headers=headers, max_size=None) as socket:
        await through_socket(socket, "The first one loads the voice.")
        for number in range(ROUNDS):
            text = f"Number {number}. {SENTENCES[number % len(SENTENCES)]}"
            alone.append(first_audio_alone_s(engine, text))
            ours.append(await through_socket(socket, text))
    return alone, ours


def first_audio_alone_s(engine: Piper, text: str) -> float:
    started = time.perf_counter()
    next(iter(engine.synthesize(text, voice=None, language="en-US")))
    return time.perf_counter() - started


async def through_socket(socket: websockets.ClientConnection, text: str) -> float:
    started, first = time.perf_counter(), 0.0
    await socket.send(json.dumps({"type": "synthesize", "text": text, "language": "en-US"}))
    async for data in socket:
        if isinstance(data, bytes):
            first = first or time.perf_counter() - started
            continue
        message = json.loads(data)
        assert message["type"] != "error", message
        if message["type"] == "synthesis_complete":
            return first
    raise RuntimeError("the socket was closed")


def test_cache_hit_over_rest(service, api_key, figure):
    waits = asyncio.run(cache_hits(service.url, api_key))
    figure("cache hit over REST, client included, median", 1000 * statistics.median(waits), "ms")
    figure(
        "cache hit over REST, client included, p95",
        1000 * statistics.quantiles(waits, n=20)[-1],
        "ms",
        "5 at the server",
    )


async def cache_hits(url: str, api_key: str) -> list[float]:
    headers = {"Authorization": f"Bearer {api_key}"}
    asked = {"text": "Thank you, that was the last question.", "language": "en-US", "format": "wav"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        spoken = await client.post("/api/v1/voice/synthesize", json=asked)
        assert spoken.status_code == 200, spoken.text
        waits = []
        for _ in range(HITS):
            started = time.perf_counter()
            answer = await client.post("/api/v1/voice/synthesize", json=asked)
            waits.append(time.perf_counter() - started)
            assert answer.content == spoken.content
        return waits
