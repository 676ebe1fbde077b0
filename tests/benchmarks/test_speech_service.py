"""Synthesis through the service: the delay of the first audio beyond the library's own, and a cache hit.

The voices are real ones (`tests.real_models`): Piper's for the service, and Kokoro's beside it on one core.
"""

import asyncio
import json
import statistics
import time
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import websockets
from prometheus_client.parser import text_string_to_metric_families

from tests import real_models
from tests.stack import Stack
from voice.engines.base import SynthesisEngine
from voice.engines.tts.kokoro import Kokoro
from voice.engines.tts.piper import Piper

pytestmark = [pytest.mark.timeout(600), pytest.mark.real]

SENTENCES = (
    "Tell me about a project that you are proud of.",
    "What would you do differently today?",
    "How did you find out that something was wrong?",
    "Who helped you, and in what way?",
)
ROUNDS = 40
HITS = 200


@pytest.fixture(scope="module")
def voices_directory() -> Path:
    return real_models.piper()


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
    around = [statistics.mean(pair) for pair in pairwise(alone)]
    beyond = [1000 * (through - raw) for through, raw in zip(ours, around, strict=True)]
    figure("first audio of Piper alone, median", 1000 * statistics.median(alone), "ms")
    figure("first audio through /ws/tts, median", 1000 * statistics.median(ours), "ms")
    figure("the same beyond the library, median", statistics.median(beyond), "ms", "at most 10")
    figure("the same beyond the library, p95", statistics.quantiles(beyond, n=20)[-1], "ms")


async def first_audio(url: str, api_key: str, engine: Piper) -> tuple[list[float], list[float]]:
    """Seconds to the first audio, before and after each through the service alone; no text is used twice."""
    alone, ours = [], []
    headers = {"Authorization": f"Bearer {api_key}"}
    address = url.replace("http", "ws", 1) + "/ws/tts"
    async with websockets.connect(address, additional_headers=headers, max_size=None) as socket:
        await through_socket(socket, "The first one loads the voice.")
        for number in range(ROUNDS):
            text = f"Number {10 + number}. {SENTENCES[number % len(SENTENCES)]}"
            alone.append(first_audio_alone_s(engine, text))
            ours.append(await through_socket(socket, text))
        alone.append(first_audio_alone_s(engine, text))
    return alone, ours


def first_audio_alone_s(engine: Piper, text: str) -> float:
    started = time.perf_counter()
    next(iter(engine.synthesize(text, voice=None, language="en-US")))
    return time.perf_counter() - started


def test_kokoro_beside_piper(figure):
    engines = [Piper(real_models.piper()), Kokoro(str(real_models.kokoro()))]
    for engine in engines:
        engine.load()
        first_audio_alone_s(engine, SENTENCES[0])
    figures = {
        engine.name: [paces(engine, text) for text in (*SENTENCES, " ".join(SENTENCES))] for engine in engines
    }
    for name, (*sentences, whole) in figures.items():
        figure(
            f"{name}, first audio of a sentence, median",
            1000 * statistics.median(first for first, _ in sentences),
            "ms",
        )
        figure(f"{name}, real-time factor of four sentences", whole[1], "")


def paces(engine: SynthesisEngine, text: str) -> tuple[float, float]:
    """Return the seconds to the first audio, and the seconds of work for a second of speech, on one core."""
    started = time.perf_counter()
    chunks = engine.synthesize(text, voice=None, language="en-US")
    first = next(chunks)
    first_s = time.perf_counter() - started
    duration_s = first.duration_s + sum(chunk.duration_s for chunk in chunks)
    return first_s, (time.perf_counter() - started) / duration_s


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
    waits, hit_rate = asyncio.run(cache_hits(service.url, api_key))
    figure("cache hit over REST, client included, median", 1000 * statistics.median(waits), "ms")
    figure(
        "cache hit over REST, client included, p95",
        1000 * statistics.quantiles(waits, n=20)[-1],
        "ms",
        "5 at the server",
    )
    figure(
        "hit rate that /metrics reports, misses of the other measurement included",
        hit_rate,
        "",
    )


async def cache_hits(url: str, api_key: str) -> tuple[list[float], float]:
    headers = {"Authorization": f"Bearer {api_key}"}
    asked = {"text": "Thank you, that was the last question.", "language": "en-US", "format": "wav"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        for _ in range(2):  # a stream's header leaves the length open, the kept file's does not
            spoken = await client.post("/api/v1/voice/synthesize", json=asked)
            assert spoken.status_code == 200, spoken.text
        waits = []
        for _ in range(HITS):
            started = time.perf_counter()
            answer = await client.post("/api/v1/voice/synthesize", json=asked)
            waits.append(time.perf_counter() - started)
            assert answer.content == spoken.content
        page = (await client.get("/metrics")).text
        families = {family.name: family.samples for family in text_string_to_metric_families(page)}
        counts = {
            sample.labels["outcome"]: sample.value
            for sample in families["voice_cache_requests"]
            if sample.name.endswith("_total")
        }
        return waits, counts["hit"] / sum(counts.values())
