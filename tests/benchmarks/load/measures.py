"""Measurements while candidates speak: latencies, counts, and the problems of every candidate."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of the sorted values that at least `share` of them do not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


class Latencies:
    """Latencies in milliseconds, eight bytes each."""

    def __init__(self) -> None:
        self._values = array("d")

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value_ms: float) -> None:
        self._values.append(value_ms)

    def summary(self, start: int = 0, end: int | None = None) -> dict[str, float]:
        """Return {n, p50, p95, p99, max} of the values from `start` to `end`; only n if there is none."""
        ordered = sorted(self._values[start:end])
        if not ordered:
            return {"n": 0}
        shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
        return {"n": len(ordered)} | {name: round(percentile(ordered, at), 1) for name, at in shares.items()}


def most_in(window_s: float, times: Sequence[float]) -> int:
    """Return the largest number of these sorted times within this many seconds of each other."""
    first = most = 0
    for last, moment in enumerate(times):
        while moment - times[first] > window_s:
            first += 1
        most = max(most, last + 1 - first)
    return most


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the growth of the value for each unit of time, by least squares; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    mean_at, mean_value = (sum(column) / len(points) for column in zip(*points, strict=True))
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    return sum((at - mean_at) * (value - mean_value) for at, value in points) / spread if spread else 0.0


@dataclass
class Figures:
    """The measurements of all candidates together."""

    connect_ms: Latencies = field(default_factory=Latencies)
    """From the start of a connection to its snapshot."""
    ack_ms: Latencies = field(default_factory=Latencies)
    """From the send of a frame to the ack that covers it."""
    slow_ack_ms: Latencies = field(default_factory=Latencies)
    """The same on slow networks, including their delay."""
    held_ms: Latencies = field(default_factory=Latencies)
    """From the time a frame was spoken to the first ack that covers it, including breaks."""
    caption_ms: Latencies = field(default_factory=Latencies)
    """From the start of speech that the server detected to the first caption of the answer."""
    transcript_ms: Latencies = field(default_factory=Latencies)
    """From "I'm done" to the transcript on the candidate's connection."""
    stored_ms: Latencies = field(default_factory=Latencies)
    """From "I'm done" to the message that the browser may delete its copy."""
    back_ms: Latencies = field(default_factory=Latencies)
    """From the loss of a connection, for any reason, to the first message on the next."""
    lost_at: list[float] = field(default_factory=list)
    """Times at which the server closed a connection, or it broke."""
    wait_ms: Latencies = field(default_factory=Latencies)
    """Time in the waiting room, of the candidates who waited."""
    errors: Counter[str] = field(default_factory=Counter)
    """By code of the protocol, `closed <code>`, `http <status>` or another error."""
    captions: int = 0
    frames: int = 0
    frame_bytes: int = 0
    """Including repeated frames."""
    speaking: int = 0
    connected: int = 0
    waiting: int = 0
