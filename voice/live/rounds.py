"""Speech of all streams of an event loop is detected together, in rounds: one hop into a thread for each.

Between two rounds audio gathers; who has more than comes in that time gets further rounds at once, and
nobody's burst keeps another waiting for longer than a block takes.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Protocol, TypeVar

from voice.live.turn_detection import TurnDetector, TurnEvent

ROUND_EVERY_S = 0.2
"""Frames come every 250 ms: a lone stream gets its round at once, many share one."""

Block = tuple[TurnDetector, bytes]
T = TypeVar("T")


class Stream(Protocol):
    """A stream in which speech is detected; all of it is called in the event loop."""

    @property
    def is_due(self) -> bool:
        """Whether a block waits and may go into a round now."""

    @property
    def is_late(self) -> bool:
        """Whether more waits than comes between two rounds."""

    @property
    def waits_since(self) -> float:
        """When the oldest audio that waits came, by `time.monotonic`."""

    def next_block(self) -> Block:
        """The next block, taken from what waits, and who finds the turns in it."""

    def detected(self, detector: TurnDetector, events: list[TurnEvent]) -> None:
        """What was found in that block.  It returns at once."""

    def fall_silent(self, error: Exception) -> None:
        """The round failed: nothing more will be detected."""


class Rounds:
    """Runs the rounds of the streams that are due; its task lives only while audio comes."""

    def __init__(
        self, load: Callable[[], None], detect_together: Callable[[list[Block]], list[list[TurnEvent]]]
    ) -> None:
        """Both are called in the thread `listening`: load once, first."""
        self._load = load
        self._detect_together = detect_together
        self._due: dict[Stream, None] = {}  # in the order in which their audio came
        self._task: asyncio.Task[None] | None = None
        self._is_loaded = False

    def want(self, stream: Stream) -> None:
        """Let the next round serve that stream."""
        self._due[stream] = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def behind_s(self) -> float:
        """How long the oldest audio has waited."""
        since = [stream.waits_since for stream in self._due if stream.is_due]
        return time.monotonic() - min(since) if since else 0.0

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._due:
                next_at = loop.time() + ROUND_EVERY_S
                await self._serve_round()
                is_any_late = any(stream.is_late for stream in self._due)
                await asyncio.sleep(0 if is_any_late else next_at - loop.time())
        finally:
            self._task = None

    async def _serve_round(self) -> None:
        streams = list(self._due)
        try:
            if not self._is_loaded:
                await _in_thread(self._load)
                self._is_loaded = True
            streams = [stream for stream in self._due if stream.is_due]
            blocks = [stream.next_block() for stream in streams]
            self._due = {stream: None for stream in streams if stream.is_due}
            detected = await _in_thread(self._detect_together, blocks) if blocks else []
        except Exception as error:  # noqa: BLE001  the model is missing, or failed with what was said
            for stream in streams:
                stream.fall_silent(error)
                self._due.pop(stream, None)
            return
        for stream, (detector, _), events in zip(streams, blocks, detected, strict=True):
            stream.detected(detector, events)


@cache
def thread(name: str) -> ThreadPoolExecutor:
    """A thread for each kind of model, so that no round waits for a turn that is judged."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)


async def _in_thread(function: Callable[..., T], *arguments: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread("listening"), function, *arguments)
