"""The table that was wished for, beside what the figures say."""

from dataclasses import dataclass

from interview_platform.planning import stores
from interview_platform.planning.capacity import Capacity
from interview_platform.planning.demand import Plan
from interview_platform.planning.figures import Figures

STREAMS = 1000
"""Texts or speakers at a time, of the wishes for Piper and Whisper."""


@dataclass(frozen=True, slots=True)
class Wish:
    wished: str
    takes: str
    is_measured: bool


def wishes(plan: Plan, figures: Figures, needed: Capacity) -> list[Wish]:
    """Return each row of the wish, and what it takes."""
    return [
        _streams(figures, "piper-cpu", STREAMS, "Piper: 1000 at a time on CPU, 150 MB"),
        _streams(figures, "kokoro-gpu", 800, "Kokoro: 500 to 800 at a time on a GPU, 300 MB"),
        _streams(figures, "whisper-large-v3-gpu", STREAMS, "Whisper: 1000 at a time on a GPU, 1 GB"),
        _streams(figures, "whisper-base-cpu", STREAMS, "the same on CPU (base)"),
        _redis(plan, figures),
        Wish(
            "compute: 70 % Piper (CPU), 20 % Whisper (GPU), 10 % Kokoro (GPU)",
            _split(needed),
            all(pool.is_measured for pool in needed.pools),
        ),
    ]


def _streams(figures: Figures, name: str, streams: int, wished: str) -> Wish:
    """In real time: each stream takes a second of audio in a second."""
    engine = figures.engines[name]
    busy = streams * engine.real_time_factor
    pods = -int(-busy // engine.slots)
    what = f"{pods * engine.pod.gpus} GPUs" if engine.pod.gpus else f"{pods * engine.pod.cores:g} cores"
    return Wish(
        wished,
        f"{what} in real time, {pods} pods, {pods * engine.pod.memory_mb / 1024:.1f} GB",
        engine.is_measured,
    )


def _redis(plan: Plan, figures: Figures) -> Wish:
    peak_mb = stores.taken(figures, plan.interview, 10_000)["redis_peak_mb"]
    return Wish(
        "Redis: 10,000 candidates, 2 GB in master and replica",
        f"{peak_mb / 1024:.1f} GB of sound at the peak in each, so {2 * peak_mb / 1024:.1f} GB with room to "
        "rewrite the append-only file",
        True,
    )


def _split(needed: Capacity) -> str:
    cores = {pool.name: pool.pods * pool.size.cores for pool in needed.pools}
    whole = sum(cores.values())
    return ", ".join(f"{name} {value / whole:.0%}" for name, value in cores.items() if value / whole >= 0.005)
