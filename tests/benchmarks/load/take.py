"""One recording as it is spoken: what has been said, sent and acknowledged. See take.js and uploader.js."""

import hashlib
from collections import deque

from tests.benchmarks.load.measures import Figures, Latencies
from tests.benchmarks.load.pace import FRAME_S
from tests.candidate import FRAME_BYTES
from tests.frames import pack

WINDOW_BYTES = 64_000
"""Not acknowledged and yet on the way: 2 s of speech."""


class Take:
    """Speaks `pcm` at `speed` times real time from `begin` on, and is afterwards what was said."""

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
        """As the server last said: open, sealed, stored or discarded."""
        self.figures = figures
        self.ack_ms = figures.ack_ms if ack_ms is None else ack_ms
        self.limit = len(self.pcm)
        self.spoken = 0
        """Bytes that the microphone has given so far."""
        self.sent = 0
        """Bytes that were sent at least once."""
        self.acked = 0
        """Bytes that the server has said it holds: they may not be lost."""
        self.finished_bytes: int | None = None
        """What `finish_answer` said."""
        self.began_at = self.finished_at = self.transcribed_at = self.captioned_at = 0.0
        self.voice_at = 0.0
        """When the server heard speech begin, by our clock."""
        self._on_way: deque[tuple[int, float]] = deque()  # ends of frames, when they were sent
        self.longest_without_ack_s = 0.0
        self._waiting_since = 0.0  # for the oldest byte that is spoken and not acknowledged

    @property
    def byte_count(self) -> int:
        """Bytes that must be there in the end: what was acknowledged, and all of what was finished."""
        return max(self.acked, self.finished_bytes or 0)

    @property
    def has_ended(self) -> bool:
        return self.spoken >= self.limit

    def sha256(self, byte_count: int | None = None) -> str:
        """Of the first bytes, all that count if not said otherwise."""
        return hashlib.sha256(self.pcm[: self.byte_count if byte_count is None else byte_count]).hexdigest()

    def begin(self, now: float, limit_bytes: int) -> None:
        """The microphone is on."""
        self.limit = min(len(self.pcm), limit_bytes)
        self.began_at = now

    def cut(self, offset: int) -> None:
        """Nothing counts but what the server holds: the device has lost the rest."""
        self.spoken = self.limit = offset

    def stop(self) -> None:
        """The candidate says no more."""
        self.limit = min(self.limit, self.spoken)

    def finish(self, now: float) -> None:
        """The server is told that this is all."""
        self.finished_bytes = self.limit
        self.finished_at = self.finished_at or now

    def speak(self, now: float) -> None:
        """What the microphone has given by now: whole frames, but for the last."""
        if not self.spoken:  # its frames end when it is asked for them
            self.began_at = now - FRAME_S / self.speed
        frames = round((now - self.began_at) * self.speed / FRAME_S)
        self.spoken = max(self.spoken, min(self.limit, frames * FRAME_BYTES))
        if self.spoken > self.acked and not self._waiting_since:
            self._waiting_since = now

    def frame(self, at: int, now: float) -> bytes | None:
        """The frame that begins at byte `at`, counted as sent; None if nothing has been said there yet."""
        end = min(at + FRAME_BYTES, self.spoken)
        if end <= at:
            return None
        self._on_way.append((end, now))
        self.sent = max(self.sent, end)
        self.figures.frames += 1
        self.figures.frame_bytes += end - at
        return pack(at, self.pcm[at:end])  # type: ignore[arg-type]  # bytes + memoryview are bytes

    def forget_way(self) -> None:
        """The frames on the way will not be acknowledged: the connection is gone, or they go out again."""
        self._on_way.clear()

    def acknowledge(self, offset: int, now: float) -> None:
        """The server holds so many bytes."""
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
