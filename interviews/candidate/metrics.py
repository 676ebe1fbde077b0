"""Metrics of candidates and their connections; docs/metrics.md lists them all.

A frame takes some hundred microseconds, and each change of a metric several, as it writes to a mapped file.
So frames are counted in plain numbers, which go to Prometheus once a second.
"""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Iterator

import redis
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from interviews.admission import waiting_room
from interviews.queries import progress
from voice.monitoring import prometheus, statistics

ACK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

CONNECTIONS = Gauge(
    "interviews_connections", "Open WebSockets of candidates on this machine.", multiprocess_mode="livesum"
)
FRAMES = Counter("interviews_frames", "Frames of audio that were held and acknowledged.")
FRAME_BYTES = Counter("interviews_frame_bytes", "Bytes of these frames.")
ACK_SECONDS = Histogram(
    "interviews_ack_seconds", "From a frame's arrival until it was acknowledged.", buckets=ACK_S
)
FRAMES_REFUSED = Counter(
    "interviews_frames_refused", "Frames that were not taken, by the error's code.", ["code"]
)
ERRORS = Counter("interviews_errors", "Commands that were refused, by the error's code.", ["code"])

FLUSH_AFTER_S = 1.0


class Candidates(Collector):
    """Candidates on all machines; empty while Redis is down."""

    def collect(self) -> Iterator[Metric]:
        """Yield the current numbers."""
        try:
            numbers = waiting_room.numbers()
        except redis.RedisError:
            return
        family = GaugeMetricFamily(
            "interviews_candidates", "Candidates; state: inside or waiting to be let in.", labels=["state"]
        )
        for state, count in numbers._asdict().items():
            family.add_metric([state], count)
        yield family


prometheus.SHARED.register(Candidates())
statistics.FURTHER["candidates"] = lambda: waiting_room.numbers()._asdict()
statistics.FURTHER_OF_OWNER["interviews"] = progress.count_sessions


class FrameTally:
    """Acknowledged frames in plain numbers: less than a microsecond each, flushed once a second."""

    def __init__(self) -> None:
        self._counts = [0] * (len(ACK_S) + 1)
        self._bytes = 0
        self._seconds = 0.0
        self._flush_at = 0.0

    def add(self, seconds: float, size_bytes: int) -> None:
        """Count a frame acknowledged after `seconds`. Call it on an event loop."""
        self._counts[bisect_left(ACK_S, seconds)] += 1
        self._seconds += seconds
        self._bytes += size_bytes
        if (now := time.monotonic()) >= self._flush_at:
            self._flush_at = now + FLUSH_AFTER_S
            asyncio.get_running_loop().call_later(FLUSH_AFTER_S, self.flush)

    def flush(self) -> None:
        """Add the counts to the Prometheus metrics."""
        counts, size_bytes, seconds = self._counts, self._bytes, self._seconds
        self._counts, self._bytes, self._seconds = [0] * len(counts), 0, 0.0
        FRAMES.inc(sum(counts))
        FRAME_BYTES.inc(size_bytes)
        for bucket, count in zip(ACK_SECONDS._buckets, counts, strict=True):  # noqa: SLF001
            if count:  # Prometheus has no public method for many observations at once
                bucket.inc(count)
        ACK_SECONDS._sum.inc(seconds)  # noqa: SLF001


_frames = FrameTally()


def frame_acked(seconds: float, size_bytes: int) -> None:
    """Count a frame that was acknowledged `seconds` after it arrived."""
    _frames.add(seconds, size_bytes)
