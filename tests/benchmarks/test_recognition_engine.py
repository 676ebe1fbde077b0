"""What a recognition costs the processor: the engine alone, with callers at once, and plain faster-whisper.

Seconds of the processor, not of the clock, so other programs on the machine matter little. Both run in this
process, on the same pieces of about five seconds, with voice activity and the times of words.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests import real_models
from tests.benchmarks.plain_whisper import PLAIN_USES, Plain
from tests.speech import recordings
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.types import RECOGNITION_RATE_HZ

pytestmark = [pytest.mark.timeout(1800), pytest.mark.real]

SECONDS = 5
CALLERS = (1, 6, 12)


@pytest.mark.parametrize(("size", "count"), [("tiny.en", 36), ("base", 18)])
def test_processor_beside_plain_faster_whisper(size, count, figure):
    directory = real_models.whisper(size)
    sounds = [each.samples()[: SECONDS * RECOGNITION_RATE_HZ] for each in recordings("en")]
    pieces = (sounds * count)[:count] or pytest.skip("there are no recordings of people")
    engine = FasterWhisper(str(directory), device="cpu", slots=2)
    engine.load()
    ways = {f"the engine, {callers} at once": partial(_ours, engine, callers) for callers in CALLERS}
    ways |= {name: Plain(directory, **options) for name, options in PLAIN_USES.items()}
    cost = {name: _processor_s(recognise, pieces) / count for name, recognise in ways.items()}
    engine.close()
    for name, seconds in cost.items():
        figure(f"{size}, processor for a recording, {name}", 1000 * seconds, "ms")
    cheapest = min(cost[name] for name in PLAIN_USES)
    best = cost[f"the engine, {CALLERS[1]} at once"]
    figure(f"{size}, cheapest plain use / the engine, {CALLERS[1]} at once", cheapest / best, "")


def _ours(engine: FasterWhisper, callers: int, pieces: list) -> None:
    with ThreadPoolExecutor(callers) as threads:
        list(threads.map(lambda samples: engine.recognize(samples, language="en"), pieces))


def _processor_s(recognise, pieces: list) -> float:
    recognise(pieces[:2])  # warm-up
    began_s = time.process_time()
    recognise(pieces)
    return time.process_time() - began_s
