"""Recognition through the service against plain faster-whisper and against wyoming-faster-whisper.

All three load the same real weights, "tiny.en" or "base" (BENCH_WHISPER chooses one). What is compared takes
turns in one run on the same cores, so the ratios are meaningful.
"""

import asyncio
import importlib.util
import itertools
import os
import signal
import statistics
import subprocess
import sys
import time
from functools import partial

import httpx
import pytest

from interview_platform.demo.embedded import free_port
from interview_platform.demo.processes import end_with_parent
from tests import real_models
from tests.benchmarks.plain_whisper import PLAIN_USES, Plain
from tests.benchmarks.speakers import to_ours, to_wyoming
from tests.speech import recordings, word_error_rate
from tests.stack import Stack
from voice.audio import encoding
from voice.audio.pcm import s16le_from_samples, samples_from_s16le
from voice.types import BYTES_A_SECOND, RECOGNITION_RATE_HZ

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.real,
    pytest.mark.skipif(
        importlib.util.find_spec("wyoming_faster_whisper") is None,
        reason="wyoming-faster-whisper is not installed",
    ),
]

SPEAKERS = (1, 2, 4, 8)
FILES = 32
RECORDINGS_AT_ONCE = 64
SECONDS = 5.0


@pytest.fixture(scope="module", params=[os.environ.get("BENCH_WHISPER", "tiny.en")])
def model(request):
    return real_models.whisper(request.param)


@pytest.fixture(scope="module")
def service(run_directory, model, piper_voices):
    env = {"WHISPER_MODEL": str(model), "PIPER_VOICES_DIR": str(piper_voices), "VOICE_QUEUE_LIMIT": "500"}
    with Stack(run_directory / "whisper-stack", env=env) as stack:
        stack.wait_ready()
        yield stack


@pytest.fixture(scope="module")
def api_key(service):
    return service.load_demo()["api_key"]


@pytest.fixture(scope="module")
def wyoming(model, run_directory):
    """The port of a Wyoming server with the same model, the same thread count and a beam of one."""
    port = free_port()
    command = [sys.executable, "-m", "wyoming_faster_whisper", "--uri", f"tcp://127.0.0.1:{port}"]
    command += [
        "--model",
        str(model),
        "--data-dir",
        str(run_directory),
        "--language",
        "en",
        "--beam-size",
        "1",
    ]
    command += ["--compute-type", "int8", "--cpu-threads", "2", "--stt-library", "faster-whisper"]
    process = subprocess.Popen(command, preexec_fn=end_with_parent(signal.SIGKILL), stderr=subprocess.DEVNULL)
    try:
        asyncio.run(answering(port))
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def answering(port: int, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            writer.close()
            return


@pytest.fixture(scope="module")
def speech() -> list[bytes]:
    """s16le pieces of about five seconds, from people."""
    pcm = [s16le_from_samples(r.samples()[: int(SECONDS * RECOGNITION_RATE_HZ)]) for r in recordings("en")]
    pieces = [piece for piece in pcm if len(piece) >= 3 * BYTES_A_SECOND]
    return pieces or pytest.skip("there are no recordings of people")


def test_latency_beside_a_peer(service, api_key, wyoming, speech, figure):
    for speakers in SPEAKERS:
        ours, theirs = [], []
        for turn in range(3 if speakers < 8 else 2):
            pieces = list(itertools.islice(itertools.cycle(speech), turn, turn + speakers))
            ours += together(to_ours(service.url, api_key, pcm, is_real_time=True) for pcm in pieces)
            theirs += together(to_wyoming(wyoming, pcm, is_real_time=True) for pcm in pieces)
        assert all(heard.text for heard in ours)
        for name, waits in (("ours", ours), ("wyoming", theirs)):
            seconds = [heard.wait_s for heard in waits]
            figure(
                f"last byte to final, {speakers} speaking, {name}, median", statistics.median(seconds), "s"
            )
            figure(f"last byte to final, {speakers} speaking, {name}, worst", max(seconds), "s")


def test_files_at_once_beside_a_peer(service, api_key, wyoming, speech, figure):
    pieces = list(itertools.islice(itertools.cycle(speech), FILES))
    files = [encoding.encode_flac(pcm) for pcm in pieces]
    ways = {
        "ours over REST": lambda: asyncio.run(transcribe_all(service.url, api_key, files)),
        "ours over /ws/asr": lambda: together(
            to_ours(service.url, api_key, pcm, is_real_time=False) for pcm in pieces
        ),
        "wyoming": lambda: together(to_wyoming(wyoming, pcm, is_real_time=False) for pcm in pieces),
    }
    best = dict.fromkeys(ways, 0.0)
    for _, (name, recognise_all) in itertools.product(range(2), ways.items()):
        best[name] = max(best[name], FILES / timed(recognise_all))
    for name, rate in best.items():
        figure(f"{FILES} files at once, {name}", rate, "/s")
    for name in ("ours over REST", "ours over /ws/asr"):
        figure(f"files at once, {name} / wyoming", best[name] / best["wyoming"], "", "at least 3")


def test_throughput_by_speakers(service, api_key, wyoming, speech, figure):
    for speakers in SPEAKERS:
        pieces = list(itertools.islice(itertools.cycle(speech), 2 * speakers))
        ways = {
            "ours": lambda pcm: to_ours(service.url, api_key, pcm, is_real_time=False),
            "wyoming": lambda pcm: to_wyoming(wyoming, pcm, is_real_time=False),
        }
        for name, recognise in ways.items():
            halves = (pieces[:speakers], pieces[speakers:])
            seconds = [timed(partial(together, map(recognise, half))) for half in halves]
            figure(f"{speakers} at once, {name}", speakers / min(seconds), "/s")


def test_throughput_beside_plain_faster_whisper(service, api_key, model, speech, figure):
    """The fastest of the plain uses counts."""
    pieces = list(itertools.islice(itertools.cycle(speech), RECORDINGS_AT_ONCE))
    files = [encoding.encode_flac(pcm) for pcm in pieces]
    sounds = [samples_from_s16le(pcm) for pcm in pieces]
    ways = {name: partial(Plain(model, **options), sounds) for name, options in PLAIN_USES.items()}
    ways["the service"] = partial(texts, service.url, api_key, files)
    rates, heard = dict.fromkeys(ways, 0.0), {}
    for _, (name, recognise_all) in itertools.product(range(2), ways.items()):
        began_s = time.perf_counter()
        heard[name] = recognise_all()
        rates[name] = max(rates[name], len(pieces) / (time.perf_counter() - began_s))
    for name, rate in rates.items():
        figure(f"{RECORDINGS_AT_ONCE} recordings, {name}", rate, "/s")
    ours = rates.pop("the service")
    figure("throughput, service / the fastest plain use", ours / max(rates.values()), "", "at least 2.5")
    apart = word_error_rate(" ".join(heard["two workers of one thread"]), " ".join(heard["the service"]))
    figure("words that differ between them", 100 * apart, "%")


def texts(url: str, api_key: str, files: list[bytes]) -> list[str]:
    return asyncio.run(transcribe_all(url, api_key, files))


async def transcribe_all(url: str, api_key: str, files: list[bytes]) -> list[str]:
    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=300) as client:

        async def transcribe(file: bytes) -> str:
            answer = await client.post(
                "/api/v1/voice/transcribe", files={"file": ("a.flac", file)}, data={"language": "en"}
            )
            return answer.raise_for_status().json()["text"]

        return await asyncio.gather(*map(transcribe, files))


def test_partial_captions_lag(service, api_key, speech, figure):
    for speakers in (1, 4, 16):
        pieces = [speech[index % len(speech)] for index in range(speakers)]
        heard = together(
            to_ours(service.url, api_key, pcm, is_real_time=True, interim=True) for pcm in pieces
        )
        lags = [lag for one in heard for lag in one.lags_s]
        figure(f"captions a speaker in {SECONDS:g} s, {speakers} speaking", len(lags) / speakers, "")
        if lags:
            figure(f"captions behind speech, {speakers} speaking, median", statistics.median(lags), "s")
            figure(f"captions behind speech, {speakers} speaking, worst", max(lags), "s")
        waits = [one.wait_s for one in heard]
        figure(
            f"last byte to final with captions, {speakers} speaking, median", statistics.median(waits), "s"
        )


def together(coroutines) -> list:
    async def gathered():
        return await asyncio.gather(*coroutines)

    return asyncio.run(gathered())


def timed(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
