"""One recording in progress: its spoken, sent and acknowledged bytes. See take.js and uploader.js."""

import hashlib
from collections import deque

from tests.benchmarks.load.measures import Figures, Latencies
from tests.benchmarks.load.pace import FRAME_S
from tests.candidate import FRAME_BYTES
from tests.frames import pack

WINDOW_BYTES = 64_000
"""Limit of sent but unacknowledged bytes: 2 s of speech."""


class Take:
    """Speak `pcm` at `speed` times real time from `begin` on, and keep the recorded bytes."""

    def __init__(
        self,
        pcm: bytes | memoryview,
        *,
        answer_id: str,
        figures: Figures,
        ack_ms: Latencies | None = None,
        speed: float = 1.0,
        is_practice: bool = False,
    ) -> None:
        self.pcm = memoryview(pcm)
        self.answer_id = answer_id
        self.recording_id = ""
        self.speed = speed
        self.is_practice = is_practice
        self.is_abandoned = False
        self.status = "open"
        """The server's last status: open, sealed, stored or discarded."""
        self.figures = figures
        self.ack_ms = figures.ack_ms if ack_ms is None else ack_ms
        self.limit = len(self.pcm)
        self.spoken = 0
        """Bytes recorded so far."""
        self.sent = 0
        """Bytes sent at least once."""
        self.acked = 0
        """Bytes acknowledged by the server, which must not be lost."""
        self.finished_bytes: int | None = None
        """The byte count of `finish_answer`."""
        self.began_at = self.finished_at = self.transcribed_at = self.captioned_at = 0.0
        self.voice_at = 0.0
        """When the server detected the start of speech, by our clock."""
        self._on_way: deque[tuple[int, float]] = deque()  # ends of frames, and their send times
        self.longest_without_ack_s = 0.0
        self._waiting_since = 0.0  # since the oldest unacknowledged byte was spoken

    @property
    def byte_count(self) -> int:
        """Bytes that must be stored in the end: all acknowledged and all finished bytes."""
        return max(self.acked, self.finished_bytes or 0)

    @property
    def has_ended(self) -> bool:
        return self.spoken >= self.limit

    def sha256(self, byte_count: int | None = None) -> str:
        """Return the hash of the first bytes; by default of all bytes that must be stored."""
        return hashlib.sha256(self.pcm[: self.byte_count if byte_count is None else byte_count]).hexdigest()

    def begin(self, now: float, limit_bytes: int) -> None:
        """Start recording."""
        self.limit = min(len(self.pcm), limit_bytes)
        self.began_at = now

    def cut(self, offset: int) -> None:
        """Keep only the acknowledged bytes: the device has lost the rest."""
        self.spoken = self.limit = offset

    def stop(self) -> None:
        """Stop recording."""
        self.limit = min(self.limit, self.spoken)

    def finish(self, now: float) -> None:
        """Record that the answer is finished."""
        self.finished_bytes = self.limit
        self.finished_at = self.finished_at or now

    def speak(self, now: float) -> None:
        """Record up to now: whole frames, except for the last."""
        if not self.spoken:  # the microphone's frames start now
            self.began_at = now - FRAME_S / self.speed
        frames = round((now - self.began_at) * self.speed / FRAME_S)
        self.spoken = max(self.spoken, min(self.limit, frames * FRAME_BYTES))
        if self.spoken > self.acked and not self._waiting_since:
            self._waiting_since = now

    def frame(self, at: int, now: float, *, size_bytes: int = FRAME_BYTES) -> bytes | None:
        """Return the frame at byte `at` and count it as sent; None if it is not recorded yet."""
        end = min(at + size_bytes, self.spoken)
        if end <= at:
            return None
        self._on_way.append((end, now))
        self.sent = max(self.sent, end)
        self.figures.frames += 1
        self.figures.frame_bytes += end - at
        return pack(at, self.pcm[at:end])  # type: ignore[arg-type]  # bytes + memoryview are bytes

    def forget_way(self) -> None:
        """Forget the frames in transit: the connection is gone, or they are sent again."""
        self._on_way.clear()

    def acknowledge(self, offset: int, now: float) -> None:
        """Record that the server has this many bytes."""
        way = self._on_way
        while way and way[0][0] <= offset:
            end, sent_at = way.popleft()
            self.ack_ms.add(1000 * (now - sent_at))
            if end > self.acked:
                self.figures.held_ms.add(1000 * (now - self._spoken_at(end)))
        if offset > self.acked:
            self.acked = min(offset, self.sent)
            if self._waiting_since:
                self.longest_without_ack_s = max(self.longest_without_ack_s, now - self._waiting_since)
            self._waiting_since = now if self.spoken > self.acked else 0.0

    def _spoken_at(self, end: int) -> float:
        return self.began_at + -(-end // FRAME_BYTES) * FRAME_S / self.speed
