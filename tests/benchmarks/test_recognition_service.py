"""Recognition through the service against plain faster-whisper and against wyoming-faster-whisper.

All three load the same stand-in with the shape, and so the cost, of Whisper tiny. The variants take turns in
one run on the same cores, so the ratios are meaningful.
"""

import asyncio
import importlib.util
import itertools
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from interview_platform.demo.embedded import free_port
from interview_platform.demo.processes import end_with_parent
from tests.benchmarks.speakers import to_ours, to_wyoming
from tests.conftest import STANDIN_SENTENCE
from tests.speech import recordings, spoken
from tests.stack import Stack
from tests.standins import build_whisper
from voice.audio import encoding
from voice.audio.pcm import s16le_from_samples, samples_from_s16le

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        importlib.util.find_spec("wyoming_faster_whisper") is None,
        reason="wyoming-faster-whisper is not installed",
    ),
]

SPEAKERS = (1, 2, 4, 8)
FILES = 32
RECORDINGS_AT_ONCE = 64
SECONDS = 5.0


@pytest.fixture(scope="module")
def tiny(run_directory):
    return build_whisper(run_directory / "models" / "whisper-tiny", say=STANDIN_SENTENCE, shape="tiny")


@pytest.fixture(scope="module")
def service(run_directory, tiny, piper_voices):
    env = {"WHISPER_MODEL": str(tiny), "PIPER_VOICES_DIR": str(piper_voices), "VOICE_QUEUE_LIMIT": "500"}
    with Stack(run_directory / "tiny-stack", env=env) as stack:
        stack.wait_ready()
        yield stack


@pytest.fixture(scope="module")
def api_key(service):
    return service.load_demo()["api_key"]


@pytest.fixture(scope="module")
def wyoming(tiny, run_directory):
    """The port of a Wyoming server with the same model, the same thread count and a beam of one."""
    port = free_port()
    command = [sys.executable, "-m", "wyoming_faster_whisper", "--uri", f"tcp://127.0.0.1:{port}"]
    command += [
        "--model",
        str(tiny),
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
    """s16le pieces of about five seconds, from people if their recordings are available."""
    sounds = [recording.samples() for recording in recordings("en")] or [
        spoken("I built a small service that reads invoices, and it found mistakes that people had missed.")
    ]
    pcm = [s16le_from_samples(samples[: int(SECONDS * 16_000)]) for samples in sounds]
    return [piece for piece in pcm if len(piece) >= 3 * 32_000]


def test_latency_beside_a_peer(service, api_key, wyoming, speech, figure):
    for speakers in SPEAKERS:
        ours, theirs = [], []
        for turn in range(3 if speakers < 8 else 2):
            pieces = list(itertools.islice(itertools.cycle(speech), turn, turn + speakers))
            ours += together(to_ours(service.url, api_key, pcm, is_real_time=True) for pcm in pieces)
            theirs += together(to_wyoming(wyoming, pcm, is_real_time=True) for pcm in pieces)
        assert all(STANDIN_SENTENCE in heard.text for heard in ours)
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
        figure(f"files at once, {name} / wyoming", best[name] / best["wyoming"], "", "at least 1.2")


def test_throughput_beside_plain_faster_whisper(service, api_key, tiny, speech, figure):
    pieces = list(itertools.islice(itertools.cycle(speech), RECORDINGS_AT_ONCE))
    files = [encoding.encode_flac(pcm) for pcm in pieces]
    plain, ours = [], []
    for _ in range(2):
        plain.append(len(pieces) / plain_seconds(tiny, pieces))
        ours.append(len(pieces) / timed(lambda: asyncio.run(transcribe_all(service.url, api_key, files))))
    figure(f"{RECORDINGS_AT_ONCE} recordings, plain faster-whisper", max(plain), "/s")
    figure(f"{RECORDINGS_AT_ONCE} recordings, the service", max(ours), "/s")
    figure("throughput, service / plain", max(ours) / max(plain), "", "at least 0.95")


def plain_seconds(model_directory, pieces: list[bytes]) -> float:
    """The fastest plain use on two cores: one model, two workers of one thread each, word timings as ours."""
    from faster_whisper import WhisperModel

    model = WhisperModel(
        str(model_directory), device="cpu", compute_type="int8", cpu_threads=1, num_workers=2
    )

    def recognise(pcm: bytes) -> str:
        segments, _ = model.transcribe(
            samples_from_s16le(pcm),
            language="en",
            beam_size=1,
            word_timestamps=True,
            vad_filter=True,
        )
        return "".join(segment.text for segment in segments)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(recognise, pieces[:2]))  # warm-up
        return timed(lambda: list(threads.map(recognise, pieces)))


async def transcribe_all(url: str, api_key: str, files: list[bytes]) -> None:
    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=300) as client:

        async def transcribe(file: bytes) -> None:
            answer = await client.post(
                "/api/v1/voice/transcribe", files={"file": ("a.flac", file)}, data={"language": "en"}
            )
            assert answer.json()["text"] == STANDIN_SENTENCE, answer.text

        await asyncio.gather(*map(transcribe, files))


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
