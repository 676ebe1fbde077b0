"""Sends a candidate's audio, one recording at a time, from the byte that the server asks for.

Source: interviews/static/interviews/audio/uploader.js.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.load.connection import Connection
from tests.benchmarks.load.pace import FRAME_S
from tests.benchmarks.load.take import WINDOW_BYTES, Take
from tests.candidate import FRAME_BYTES
from voice.recordings.frames import HEADER_BYTES

REWIND_PAUSE_S = 1.0
SLOW_DOWN_PAUSE_S = 1.0
COMPLETE_PAUSE_S, MAX_COMPLETE_PAUSE_S = 0.5, 8.0


@dataclass
class _Sending:
    """The recording being sent, and its progress."""

    take: Take
    cursor: int
    acked: int
    rewound: tuple[int, float] = (-1, 0.0)
    is_completed: bool = False
    paused_until: float = 0.0
    complete_after: float = 0.0
    repeats: int = 0
    sent_at: float = 0.0


class Uploader:
    """Uploader. `to_offer()` lists the takes with audio that the server may lack, the current one last."""

    def __init__(self, connection: Connection, *, to_offer: Callable[[], list[Take]]) -> None:
        self.connection = connection
        self.to_offer = to_offer
        self._sending: _Sending | None = None
        self._expected: str | None = None
        self._delivered: set[str] = set()
        self._frame_s = FRAME_S

    def use_frames(self, ms: int) -> None:
        """Send frames of this length from now on."""
        self._frame_s = ms / 1000

    def disconnected(self) -> None:
        """Forget the server's state after a disconnect."""
        if self._sending:
            self._sending.take.forget_way()
        self._sending = self._expected = None
        self._delivered.clear()

    def catch_up(self) -> None:
        """Offer the server all audio it may lack, one recording after the other."""
        self.disconnected()
        self._next()

    def expect(self, answer_id: str) -> None:
        """Expect the server's `resume` for this answer. No frame is sent before it."""
        self._sending, self._expected = None, answer_id
        self._delivered.discard(answer_id)

    def resumed(self, take: Take, offset: int) -> None:
        """Handle the server's `resume`."""
        if self._expected not in (None, take.answer_id):
            return
        self._expected = None
        take.forget_way()
        self._sending = _Sending(take, cursor=offset, acked=offset)
        self.wake(time.monotonic())

    def acked(self, offset: int, now: float) -> None:
        """Handle the server's `ack`."""
        sending = self._sending
        if sending is None:
            return
        sending.acked = max(sending.acked, min(offset, sending.cursor))
        sending.rewound = (-1, 0.0)
        sending.take.acknowledge(sending.acked, now)
        if sending.cursor < sending.take.spoken or sending.take.has_ended:
            self.wake(now)

    def rewind(self, offset: int, now: float) -> None:
        """Send again from `offset`, where the server reported a gap."""
        sending = self._sending
        if sending is None or (sending.rewound[0] == offset and now - sending.rewound[1] < REWIND_PAUSE_S):
            return
        sending.take.forget_way()
        sending.cursor = sending.acked = offset
        sending.rewound, sending.is_completed = (offset, now), False
        self.wake(now)

    def slow_down(self, offset: int, now: float) -> None:
        """Send again after a second, because the server's buffer is full."""
        sending = self._sending
        if sending is None or now < sending.paused_until:
            return  # every frame in transit is refused in the same way
        sending.paused_until = now + SLOW_DOWN_PAUSE_S
        self._wake_in(SLOW_DOWN_PAUSE_S)
        sending.rewound = (-1, 0.0)
        self.rewind(offset, now)

    def missing(self, offset: int, now: float) -> None:
        """Handle an early completion: send the missing audio at once, and complete again after a pause."""
        sending = self._sending
        if sending is None:
            return
        pause_s = min(MAX_COMPLETE_PAUSE_S, COMPLETE_PAUSE_S * 2**sending.repeats)
        sending.repeats += 1
        sending.complete_after = now + pause_s
        sending.rewound = (-1, 0.0)
        self.rewind(offset, now)
        self._wake_in(pause_s)

    def _wake_in(self, pause_s: float) -> None:
        asyncio.get_running_loop().call_later(pause_s, lambda: self.wake(time.monotonic()))

    def wake(self, now: float) -> None:
        """Call after audio was recorded, acknowledged or stored."""
        sending = self._sending
        if sending is None or now < sending.paused_until:
            return
        while sending.cursor - sending.acked < WINDOW_BYTES:
            if self._waits_for_more(sending, now):
                return
            frame = sending.take.frame(sending.cursor, now, size_bytes=self._frame_bytes)
            if frame is None:
                self._sent_all(sending, now)
                return
            self.connection.send_frame(frame)
            sending.cursor += len(frame) - HEADER_BYTES
            sending.sent_at = now

    @property
    def _frame_bytes(self) -> int:
        return round(self._frame_s / FRAME_S) * FRAME_BYTES

    def _waits_for_more(self, sending: _Sending, now: float) -> bool:
        """Whether the frame may become longer, and something of it is there."""
        there = sending.take.spoken - sending.cursor
        is_whole = there + FRAME_BYTES > self._frame_bytes
        is_late = now - sending.sent_at >= self._frame_s + FRAME_S
        return there > 0 and not (is_whole or is_late or sending.take.has_ended)

    def _sent_all(self, sending: _Sending, now: float) -> None:
        take = sending.take
        if not take.has_ended:
            return
        if take.status != "open":
            if sending.acked >= sending.cursor:
                self._delivered.add(take.answer_id)
                self._next()
        elif not sending.is_completed and now >= sending.complete_after:
            sending.is_completed = True
            take.finish(now)
            fields = {"answer": take.answer_id, "bytes": take.finished_bytes}
            self.connection.send({"type": "finish_answer", **fields})

    def _next(self) -> None:
        take = next((t for t in self.to_offer() if t.answer_id not in self._delivered), None)
        if take is not None:
            self.expect(take.answer_id)
            self.connection.send({"type": "select", "answer": take.answer_id})
