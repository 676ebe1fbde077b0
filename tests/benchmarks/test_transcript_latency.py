"""How soon the text of an answer is on the candidate's connection, with the real Whisper base.

The engine is timed on the same audio between the answers, at the same pace, so both find the same caches.
"""

import asyncio
import contextlib
import itertools
import os
import re
import statistics
import time
import urllib.request

import numpy as np
import pytest

from tests import real_models
from tests.candidate import FRAME_BYTES, Candidate, connected, consent
from tests.frames import pack
from tests.speech import recordings
from tests.stack import Stack, small
from voice.audio.pcm import s16le_from_samples, samples_from_s16le
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.vad.silero import SileroVad
from voice.engines.vad.windows import speech_spans
from voice.types import BYTES_A_SECOND, RECOGNITION_RATE_HZ, Samples

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

INTERVIEWS = int(os.environ.get("BENCH_INTERVIEWS", "3"))
ANSWERS = 3
PAUSE_S = 1.0
LONG_S, SHORT_S = 88.0, 10.0
"""The demo's answers may have 90 s."""


@pytest.fixture(scope="module")
def service(run_directory, piper_voices):
    env = {"WHISPER_MODEL": str(real_models.whisper("base")), "PIPER_VOICES_DIR": str(piper_voices)}
    with Stack(run_directory / "base-stack", env=env, adapt=small) as stack:
        stack.wait_ready()
        yield stack


@pytest.fixture(scope="module")
def engine():
    engine = FasterWhisper(str(real_models.whisper("base")))
    engine.load()
    return engine


@pytest.fixture(scope="module")
def speech() -> list[Samples]:
    """What people said, each up to the last frame of speech."""
    vad = SileroVad()
    sounds = [recording.samples() for recording in recordings("en")]
    if not sounds:
        pytest.skip("the recordings of people are not on this machine")
    ends = [speech_spans(vad.probabilities(sound), len(sound), longest_s=30)[-1].end for sound in sounds]
    return [sound[: end - int(0.4 * RECOGNITION_RATE_HZ)] for sound, end in zip(sounds, ends, strict=True)]


def quiet(seconds: float) -> Samples:
    """A room in which nobody speaks."""
    noise = np.random.default_rng(1).normal(0, 5e-4, int(seconds * RECOGNITION_RATE_HZ))
    return noise.astype(np.float32)


async def test_done_after_half_a_second_of_silence(service, engine, speech, figure):
    answers = [s16le_from_samples(np.concatenate([sound, quiet(0.5)])) for sound in speech]
    waits_ms, raw_ms = await interviews(service, engine, answers, spoken)
    gains_ms = [waited - raw for waited, raw in zip(waits_ms, raw_ms, strict=True)]
    figure("engine alone on these answers, median", statistics.median(raw_ms), "ms")
    figure('"I\'m done" after 0.5 s of silence to the text, median', statistics.median(waits_ms), "ms")
    figure("the same beyond the engine, median", statistics.median(gains_ms), "ms", "at most -150")
    figure("the same beyond the engine, worst", max(gains_ms), "ms")
    figure("windows that were recognised before, so far", kept_share(service), "%")


async def test_turn_that_silence_ends(service, engine, speech, figure):
    answers = [s16le_from_samples(sound) for sound in speech]
    waits_ms, raw_ms = await interviews(service, engine, answers, spoken_until_the_turn_ends)
    figure("engine alone on these answers, median", statistics.median(raw_ms), "ms")
    figure("end of turn by silence to the text, median", statistics.median(waits_ms), "ms", "at most 30")
    figure("the same, p95", statistics.quantiles(waits_ms, n=20)[-1], "ms", "at most 150")
    figure("windows that were recognised before, so far", kept_share(service), "%")


async def test_long_answers(service, engine, speech, figure):
    whole = s16le_from_samples(np.concatenate([part for sound in speech * 2 for part in (sound, quiet(0.7))]))
    waits_ms: dict[float, list[float]] = {SHORT_S: [], LONG_S: []}
    for start_s in range(0, 8 * INTERVIEWS, 8):
        for seconds in (SHORT_S, LONG_S):
            first, size = (int(at * RECOGNITION_RATE_HZ) * 2 for at in (start_s, seconds))
            async with begun(service) as candidate:
                waits_ms[seconds].append(await spoken(candidate, whole[first : first + size]))
    short, long = (statistics.median(waits_ms[seconds]) for seconds in (SHORT_S, LONG_S))
    figure(f"answer of {SHORT_S:g} s, ended while speaking, median", short, "ms")
    figure(f"answer of {LONG_S:g} s, ended while speaking, median", long, "ms")
    figure("long / short", long / short, "", "at most 1.3")


@contextlib.asynccontextmanager
async def begun(service):
    """A new candidate in front of the first question."""
    url = service.load_demo()["invitation_url"]
    await consent(url)
    async with connected(url) as candidate:
        await candidate.say("skip_practice")
        await candidate.event("practice_skipped")
        yield candidate


async def interviews(service, engine, answers: list[bytes], give) -> tuple[list[float], list[float]]:
    """Let candidates give the answers; return the waits for their texts and the engine's own times, in ms."""
    waits_ms, raw_ms = [], []
    given = itertools.cycle(answers)
    for _ in range(INTERVIEWS):
        async with begun(service) as candidate:
            for pcm in itertools.islice(given, ANSWERS):
                waits_ms.append(await give(candidate, pcm))
                await asyncio.sleep(PAUSE_S)
                raw_ms.append(engine_ms(engine, pcm))
    return waits_ms, raw_ms


async def spoken(candidate: Candidate, pcm: bytes) -> float:
    """Answer the current question in real time. Return the wait for its transcript."""
    resume = await candidate.begin()
    sending = asyncio.create_task(send_in_real_time(candidate, pcm))
    await candidate.until(lambda m: m["type"] == "ack" and m["offset"] >= len(pcm))
    await sending
    return await text_after(candidate, resume["answer"], pcm)


async def send_in_real_time(candidate: Candidate, sound: bytes) -> None:
    """Send each frame when its last sample was spoken."""
    began = time.monotonic()
    for offset in range(0, len(sound), FRAME_BYTES):
        end = min(offset + FRAME_BYTES, len(sound))
        await asyncio.sleep(max(0.0, began + end / BYTES_A_SECOND - time.monotonic()))
        await candidate.socket.send(pack(offset, sound[offset:end]))


async def spoken_until_the_turn_ends(candidate: Candidate, pcm: bytes) -> float:
    """Answer in real time, then be silent until the turn has ended. Return the wait for the transcript."""
    resume = await candidate.begin()
    sound = pcm + s16le_from_samples(quiet(20))
    sending = asyncio.create_task(send_in_real_time(candidate, sound))
    await candidate.until(lambda m: m["type"] == "turn_ended" and m["timestamp"] * BYTES_A_SECOND >= len(pcm))
    sending.cancel()
    return await text_after(candidate, resume["answer"], sound[: candidate.acked])


async def text_after(candidate: Candidate, answer: str, pcm: bytes) -> float:
    started = time.perf_counter()
    await candidate.finish(answer, pcm)
    await candidate.event("transcript_recorded")
    waited = 1000 * (time.perf_counter() - started)
    if candidate.answer(answer)["status"] == "recorded":
        await candidate.say("accept_answer", answer=answer)
        await candidate.event("answer_accepted")
    return waited


def kept_share(service) -> float:
    """Return how many of the windows that jobs needed were there already, in per cent."""
    with urllib.request.urlopen(f"{service.url}/metrics") as page:
        counts = dict(re.findall(r'voice_windows_total{outcome="(\w+)"} (\S+)', page.read().decode()))
    kept, recognised = (float(counts.get(name, 0)) for name in ("kept", "recognised"))
    return 100 * kept / max(1.0, kept + recognised)


def engine_ms(engine: FasterWhisper, pcm: bytes) -> float:
    started = time.perf_counter()
    engine.recognize(samples_from_s16le(pcm), language="en")
    return 1000 * (time.perf_counter() - started)
