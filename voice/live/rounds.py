"""Process all streams of an event loop together, in rounds: one hop into a thread for a block of each.

Between two rounds audio accumulates. Streams with more than that get further rounds at once, and one stream's
burst delays another by at most the time for one block.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Protocol, TypeVar

from voice.infra import correlation
from voice.live.turn_detection import TurnDetector, TurnEvent

ROUND_EVERY_S = 0.2
"""Frames arrive every 250 ms: a lone speaker is processed at once, many are processed together."""

Block = tuple[TurnDetector, bytes]
T = TypeVar("T")


class Stream(Protocol):
    """A stream to process; all methods are called in the event loop."""

    @property
    def is_due(self) -> bool:
        """Whether a block waits and may be processed now."""

    @property
    def is_late(self) -> bool:
        """Whether more audio waits than arrives between two rounds."""

    @property
    def waits_since(self) -> float:
        """When the oldest waiting audio arrived, by `time.monotonic`."""

    def next_block(self) -> Block:
        """Take the next waiting block, and return it with its turn detector."""

    def detected(self, detector: TurnDetector, events: list[TurnEvent]) -> None:
        """Handle the events of that block. Returns at once."""

    def fall_silent(self, error: Exception) -> None:
        """Handle the failure of a round: no more audio will be processed."""


class Rounds:
    """Processes the streams that are due; its task lives only while audio arrives."""

    def __init__(
        self, load: Callable[[], None], detect_together: Callable[[list[Block]], list[list[TurnEvent]]]
    ) -> None:
        """Both are called in the thread `listening`; load is called once, first."""
        self._load = load
        self._detect_together = detect_together
        self._due: dict[Stream, None] = {}  # in the order in which their audio arrived
        self._task: asyncio.Task[None] | None = None
        self._is_loaded = False

    def want(self, stream: Stream) -> None:
        """Process that stream in the next round."""
        self._due[stream] = None
        if self._task is None:
            self._task = correlation.task_for_all(self._run())

    def behind_s(self) -> float:
        """Return how long the oldest audio has waited."""
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
        except Exception as error:  # noqa: BLE001  the model is missing, or failed on this audio
            for stream in streams:
                stream.fall_silent(error)
                self._due.pop(stream, None)
            return
        for stream, (detector, _), events in zip(streams, blocks, detected, strict=True):
            stream.detected(detector, events)


@cache
def thread(name: str) -> ThreadPoolExecutor:
    """Return a thread for each kind of model, so that no round waits for the end-of-turn model."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)


async def _in_thread(function: Callable[..., T], *arguments: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread("listening"), function, *arguments)
