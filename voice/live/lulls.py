"""Notice that a speaker pauses, before the turn detector does.

The detector takes blocks of 256 ms. Here what came since its last block is heard as well, on a copy of its
voice activity, so a lull is noticed with the frame of sound that completes it.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from contextvars import copy_context

from voice.audio.pcm import SAMPLE_BYTES, samples_from_s16le
from voice.engines.base import SILENCE_THRESHOLD, SPEECH_THRESHOLD
from voice.live import ahead
from voice.live.rounds import thread
from voice.live.turn_detection import FRAME_MS, SAMPLES_PER_FRAME, TurnDetector

LULL_FRAMES = ahead.LULL_MS // FRAME_MS
_FRAME_BYTES = SAMPLES_PER_FRAME * SAMPLE_BYTES

Paused = Callable[[], Awaitable[bool]]
"""Called once a lull; False if it is to be called again while the lull lasts."""


class Lulls:
    """The lulls of one stream. For one event loop."""

    def __init__(self, paused: Paused | None) -> None:
        self._paused = paused
        self._looking: asyncio.Task[None] | None = None
        self._context = copy_context()  # of the stream: rounds start the task
        self._asked_after: int | None = None  # the last frame of speech before the lull that was told

    def look(self, detector: TurnDetector | None, waiting: bytes | bytearray) -> None:
        """Look whether the speaker pauses. waiting: what came since the detector's last block."""
        if self._paused is None or detector is None or self._looking is not None or ahead.is_off():
            return
        silent_frames = detector.silent_frames
        if silent_frames is not None and silent_frames + len(waiting) // _FRAME_BYTES >= LULL_FRAMES:
            looking = self._look(detector, bytes(waiting))
            self._looking = asyncio.get_running_loop().create_task(looking, context=self._context)
            self._looking.add_done_callback(self._looked)

    def close(self) -> None:
        """Look no more."""
        self._paused = None
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self, detector: TurnDetector, waiting: bytes) -> None:
        loop = asyncio.get_running_loop()
        spoken_to = await loop.run_in_executor(thread("listening"), last_speech, detector, waiting)
        if spoken_to is None or spoken_to == self._asked_after or self._paused is None:
            return
        if await self._paused():
            self._asked_after = spoken_to

    def _looked(self, looking: asyncio.Task[None]) -> None:
        self._looking = None
        if not looking.cancelled():
            looking.exception()  # of Redis, or of the model: the next frame is another chance


def last_speech(detector: TurnDetector, waiting: bytes) -> int | None:
    """Return the frame after the last one of speech, if the silence since then is a lull; else None."""
    silent_frames = detector.silent_frames
    if silent_frames is None:
        return None
    whole = len(waiting) // _FRAME_BYTES * _FRAME_BYTES
    heard = copy.copy(detector.speech_probability)(samples_from_s16le(waiting[:whole])) if whole else ()
    for probability in heard:
        threshold = SPEECH_THRESHOLD if silent_frames else SILENCE_THRESHOLD
        silent_frames = 0 if probability >= threshold else silent_frames + 1
    n_frames = detector.n_frames + len(heard)
    return n_frames - silent_frames if silent_frames >= LULL_FRAMES else None
