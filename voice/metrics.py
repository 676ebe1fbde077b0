"""Every Prometheus metric of the speech service.

Labels take few values: names of engines, kinds and outcomes, never an id or a text. Counters and histograms
are added up over the processes of a machine. What all machines share (breakers, the speech cache) lies in
Redis and is read when it is scraped, so every process answers with the same numbers.

With PROMETHEUS_MULTIPROC_DIR the processes of a machine write into that directory, and one scrape of any web
process (`interview_platform.metrics`) has them all, workers included.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import redis
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ENGINE_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
RATIOS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 5)

CACHE_REQUESTS = Counter(
    "voice_cache_requests", "Looks into the cache of rendered speech; outcome: hit or miss.", ["outcome"]
)

ENGINE_SECONDS = Histogram(
    "voice_engine_seconds", "Time one call spent inside an engine.", ["direction", "engine"], buckets=ENGINE_S
)
ENGINE_REAL_TIME_FACTOR = Histogram(
    "voice_engine_real_time_factor",
    "Time inside an engine divided by the length of the audio.",
    ["direction", "engine"],
    buckets=RATIOS,
)
ENGINE_FAILURES = Counter(
    "voice_engine_failures",
    "Tries that failed; kind: transient, unavailable, unexpected, rejected (this text or audio) or load.",
    ["direction", "engine", "kind"],
)
ENGINE_RETRIES = Counter(
    "voice_engine_retries", "Calls made again after a transient failure.", ["direction", "engine"]
)
ENGINE_FALLBACKS = Counter(
    "voice_engine_fallbacks",
    "Calls served by another engine than the first that was fit for them.",
    ["direction", "from", "to"],
)

CALLS = Counter(
    "voice_calls",
    "Calls answered; kind as speak or hear, outcome ok or an error's code.",
    ["kind", "outcome"],
)
CALL_WAIT_SECONDS = Histogram(
    "voice_call_wait_seconds", "From a call's arrival until a worker took it.", ["kind"], buckets=FAST_S
)
CALL_SECONDS = Histogram(
    "voice_call_seconds", "From a call's arrival to the end of its answer.", ["kind"], buckets=ENGINE_S
)
FIRST_AUDIO_SECONDS = Histogram(
    "voice_first_audio_seconds",
    "From a request for speech to its first audio; source: cache or engine.",
    ["source"],
    buckets=FAST_S,
)

CONNECTIONS = Gauge(
    "voice_connections", "Open WebSockets.", ["socket"], multiprocess_mode="livesum"
)  # livesum: a process that is gone has none
REFUSED = Counter("voice_refused", "Requests refused before any work, by the error's code.", ["reason"])

BREAKER_STATES = {"closed": 0, "half_open": 1, "open": 2}


class SharedState(Collector):
    """What all processes share in Redis; nothing while Redis is away."""

    def collect(self) -> Iterator[Metric]:
        """The breakers' states and the size of the speech cache, as they are now."""
        from voice import breaker, speech_cache  # both count into this module

        try:
            states, cached = breaker.configured(), speech_cache.statistics()
        except redis.RedisError:
            return
        family = GaugeMetricFamily(
            "voice_breaker_state", "0 closed, 1 half-open, 2 open.", labels=["direction", "engine"]
        )
        for state in states:
            family.add_metric([state.direction, state.engine], BREAKER_STATES[state.name])
        yield family
        yield GaugeMetricFamily("voice_cache_bytes", "Speech in the cache.", value=cached.bytes)
        yield GaugeMetricFamily("voice_cache_items", "Texts in the cache.", value=cached.items)


def exposition() -> bytes:
    """Every metric of this machine in Prometheus' text format, and what lies in Redis."""
    shared = CollectorRegistry()
    shared.register(SharedState())
    return generate_latest(of_machine()) + generate_latest(shared)


def of_machine() -> CollectorRegistry:
    """What the processes of this machine have counted, as far as they count together."""
    if directory := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        _forget_dead_processes(Path(directory))
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        return registry
    return REGISTRY


def _forget_dead_processes(directory: Path) -> None:
    """Drop the live gauges of processes that were killed; those that end in order do the same themselves."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in directory.glob("gauge_live*_*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            multiprocess.mark_process_dead(pid, str(directory))
        except PermissionError:
            pass  # it lives, under another user
