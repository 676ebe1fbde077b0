"""From "I'm done" to the transcript on the candidate's connection, beyond the engine's own time."""

import statistics
import time

from tests.candidate import connected, consent
from tests.speech import spoken
from voice import audio
from voice.engines.faster_whisper import FasterWhisper

ANSWERS = 12
SECONDS = 5
SENTENCE = (
    "I built a small service that reads invoices, and it found mistakes that people had missed for years."
)


async def test_final_transcript_latency(stack, whisper_model, figure):
    pcm = audio.s16le_from_samples(spoken(SENTENCE, pause_s=SECONDS))[: SECONDS * 32_000]
    raw_ms = engine_alone_ms(whisper_model, pcm)
    waits_ms = []
    for _ in range(ANSWERS // 3):
        waits_ms += await one_interview(stack.load_demo()["invitation_url"], pcm)
    figure("engine alone, 5 s of speech, median", statistics.median(raw_ms), "ms")
    figure("end of answer to transcript, median", statistics.median(waits_ms), "ms")
    beyond = [w - statistics.median(raw_ms) for w in waits_ms]
    figure("the same beyond the engine, median", statistics.median(beyond), "ms", "at most 50")
    figure("the same beyond the engine, p95", statistics.quantiles(beyond, n=20)[-1], "ms")


def engine_alone_ms(model, pcm: bytes) -> list[float]:
    engine = FasterWhisper(str(model))
    engine.load()
    samples = audio.samples_from_s16le(pcm)
    engine.recognize(samples, language="en")
    times = []
    for _ in range(10):
        started = time.perf_counter()
        engine.recognize(samples, language="en")
        times.append(1000 * (time.perf_counter() - started))
    return times


async def one_interview(url: str, pcm: bytes) -> list[float]:
    waits = []
    await consent(url)
    async with connected(url) as candidate:
        await candidate.say("skip_practice")
        await candidate.event("practice_skipped")
        for _ in range(3):
            resume = await candidate.begin()
            await candidate.speak(pcm, is_real_time=True)
            started = time.perf_counter()
            await candidate.finish(resume["answer"], pcm)
            await candidate.event("transcript_recorded")
            waits.append(1000 * (time.perf_counter() - started))
            if candidate.answer(resume["answer"])["status"] == "recorded":
                await candidate.say("accept_answer", answer=resume["answer"])
                await candidate.event("answer_accepted")
    return waits
