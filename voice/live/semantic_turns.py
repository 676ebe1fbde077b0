"""Ask the semantic model whether a speaker has finished. One thread answers for all streams of a process."""

import asyncio
from collections.abc import Callable

from voice.audio.pcm import byte_at, samples_from_s16le
from voice.capacity import shedding
from voice.engines.base import EndOfTurnModel
from voice.live import detectors
from voice.live.rounds import thread
from voice.live.turn_detection import TurnQuestioned

LONGEST_QUEUE = 2
"""Smart Turn takes 40 ms of a core: with this many questions waiting, silence alone decides."""

Read = Callable[[int, int], bytes]
"""Returns bytes [start, end) of a stream of mono s16le PCM at 16 000 Hz, fewer if they are gone."""

_waiting: set[object] = set()


async def likelihood(question: TurnQuestioned, read: Read) -> float | None:
    """Return 0..1, how likely the speaker has finished; 0 if the sound is gone.

    None: there is no model, load shedding has switched it off, or too many questions wait for it.
    """
    model = detectors.smart_turn()
    if model is None or shedding.is_off(shedding.Step.SEMANTIC) or len(_waiting) >= LONGEST_QUEUE:
        return None
    _waiting.add(place := object())
    try:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(thread("turns"), _asked, model, question, read)
    finally:
        _waiting.remove(place)


def _asked(model: EndOfTurnModel, question: TurnQuestioned, read: Read) -> float:
    start, end = byte_at(question.start_s), byte_at(question.timestamp_s)
    pcm = read(start, end)
    return model.probability(samples_from_s16le(pcm)) if len(pcm) == end - start else 0.0
