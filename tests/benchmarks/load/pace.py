"""One clock for all clients: frames four times a second and pings every five, without a timer for each."""

import asyncio
import time
from collections.abc import Callable

from tests.benchmarks.load.measures import Latencies

TICK_S = 0.01
FRAME_S = 0.25
PING_S = 5.0

Beat = Callable[[float], None]
"""Called with `time.monotonic()`."""


class Wheel:
    """Call each beat once a turn, at the point of the turn where it was added."""

    def __init__(self, turn_s: float) -> None:
        self._slots: list[dict[Beat, None]] = [{} for _ in range(round(turn_s / TICK_S))]
        self._tick = 0

    def add(self, beat: Beat, *, times: int = 1) -> None:
        """Call `beat` from now on, `times` a turn, evenly spread."""
        for n in range(times):
            self._slots[(self._tick + n * len(self._slots) // times) % len(self._slots)][beat] = None

    def remove(self, beat: Beat) -> None:
        """Stop calling it."""
        for slot in self._slots:
            slot.pop(beat, None)

    def go_on(self, now: float) -> None:
        """Advance by one tick."""
        self._tick = (self._tick + 1) % len(self._slots)
        for beat in tuple(self._slots[self._tick]):
            beat(now)


class Pace:
    """Turn both wheels from `async with` to its end. `late_ms` is the delay of its own ticks."""

    def __init__(self) -> None:
        self.frames = Wheel(FRAME_S)
        self.pings = Wheel(PING_S)
        self.late_ms = Latencies()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Pace":
        self._task = asyncio.create_task(self._turn(), name="pace")
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._task
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error

    async def _turn(self) -> None:
        due = time.monotonic()
        while True:
            due += TICK_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            self.late_ms.add(1000 * (now - due))
            self.frames.go_on(now)
            self.pings.go_on(now)
