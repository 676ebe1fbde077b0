"""From "I'm done" to the transcript on the candidate's connection, beyond the engine's own time.

The engine is timed on the same audio between the answers, at the same pace, so both find the same caches.
"""

import asyncio
import statistics
import time

import pytest

from tests.candidate import connected, consent
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples, samples_from_s16le
from voice.engines.stt.faster_whisper import FasterWhisper

pytestmark = pytest.mark.timeout(300)

INTERVIEWS = 5
SECONDS = (4.4, 5.0, 5.7)  # captions come once a second: vary their distance to the end of the answer
PAUSE_S = 1.0
SENTENCE = (
    "I built a small service that reads invoices, and it found mistakes that people had missed for years."
)


@pytest.fixture
def engine(whisper_model):
    engine = FasterWhisper(str(whisper_model))
    engine.load()
    return engine


async def test_final_transcript_latency(stack, engine, figure):
    whole = s16le_from_samples(spoken(SENTENCE, pause_s=max(SECONDS)))
    answers = [whole[: int(seconds * 16_000) * 2] for seconds in SECONDS]
    waits_ms, raw_ms = [], []
    for _ in range(INTERVIEWS):
        url = stack.load_demo()["invitation_url"]
        await consent(url)
        async with connected(url) as candidate:
            await candidate.say("skip_practice")
            await candidate.event("practice_skipped")
            for pcm in answers:
                waits_ms.append(await answer_ms(candidate, pcm))
                await asyncio.sleep(PAUSE_S)
                raw_ms.append(engine_ms(engine, pcm))
    raw = statistics.median(raw_ms)
    figure("engine alone, about 5 s of speech, median", raw, "ms")
    figure("end of answer to transcript, median", statistics.median(waits_ms), "ms")
    figure("the same beyond the engine, median", statistics.median(waits_ms) - raw, "ms", "at most 50")
    figure("the same beyond the engine, p95", statistics.quantiles(waits_ms, n=20)[-1] - raw, "ms")


async def answer_ms(candidate, pcm: bytes) -> float:
    """Answer the current question in real time. Return the wait for its transcript."""
    resume = await candidate.begin()
    await candidate.speak(pcm, is_real_time=True)
    started = time.perf_counter()
    await candidate.finish(resume["answer"], pcm)
    await candidate.event("transcript_recorded")
    waited = 1000 * (time.perf_counter() - started)
    if candidate.answer(resume["answer"])["status"] == "recorded":
        await candidate.say("accept_answer", answer=resume["answer"])
        await candidate.event("answer_accepted")
    return waited


def engine_ms(engine: FasterWhisper, pcm: bytes) -> float:
    started = time.perf_counter()
    engine.recognize(samples_from_s16le(pcm), language="en")
    return 1000 * (time.perf_counter() - started)
