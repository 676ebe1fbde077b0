"""Metrics for Prometheus: the counts of this machine's processes, and the state that all machines share.

With PROMETHEUS_MULTIPROC_DIR the processes of a machine count into that directory, and any of them, web or
worker, answers for all. The state in Redis and PostgreSQL is read at each request, so every machine answers
with the same numbers: take their maximum, never the sum.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Count, Q, Sum
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from voice.inference import breaker
from voice.infra import redis_clients
from voice.models import Recording, Transcript
from voice.monitoring import readiness
from voice.monitoring.in_time import asked
from voice.queues import pools, sweeps
from voice.speech import cache

WITHIN_S = 0.8
"""So long a page waits for stores: it comes within a second."""
BREAKER_STATES = {"closed": 0, "half_open": 1, "open": 2}


class RedisState(Collector):
    """Breakers, the speech cache, the queues and memory; nothing while Redis is unreachable."""

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        try:
            states, cached = breaker.configured(), cache.statistics()
            queues = pools.read(settings.QUEUE_NAMES, "", redis_clients.sync_client())
            used = redis_clients.sync_client().info("memory")["used_memory"]
            swept_s = sweeps.last_s(redis_clients.sync_client())
        except redis.RedisError:
            return
        yield _gauge(
            "voice_breaker_state",
            "0 closed, 1 half-open, 2 open.",
            {(state.direction, state.engine): BREAKER_STATES[state.name] for state in states},
            labels=["direction", "engine"],
        )
        yield GaugeMetricFamily("voice_cache_bytes", "Speech in the cache.", value=cached.bytes)
        yield GaugeMetricFamily("voice_cache_items", "Texts in the cache.", value=cached.items)
        lengths = {(queue.name,): queue.length for queue in queues}
        yield _gauge("voice_queue_length", "Jobs that wait.", lengths, labels=["queue"])
        ages = {(queue.name,): queue.oldest_s for queue in queues}
        yield _gauge("voice_queue_oldest_seconds", "Since the first job was queued.", ages, labels=["queue"])
        slots = {(queue.name,): queue.slots for queue in queues}
        yield _gauge("voice_queue_workers", "Living slots that serve it.", slots, labels=["queue"])
        yield GaugeMetricFamily(
            "voice_redis_bytes", "Memory that Redis uses, with the hot audio.", value=used
        )
        yield GaugeMetricFamily(
            "voice_last_sweep_timestamp_seconds", "When lost jobs were last looked for.", value=swept_s
        )


class DatabaseState(Collector):
    """Waiting rows in PostgreSQL, independent of the queues, by partial indexes; nothing if unreachable."""

    def collect(self) -> Iterator[Metric]:
        """Yield the current values."""
        try:
            recordings, transcripts = recordings_waiting(), transcripts_waiting()
        except DatabaseError:
            return
        yield GaugeMetricFamily(
            "voice_recordings_waiting",
            "Complete recordings that are not stored yet.",
            value=recordings["count"],
        )
        yield GaugeMetricFamily(
            "voice_recording_bytes_waiting", "PCM bytes of these recordings.", value=recordings["bytes"]
        )
        yield _gauge(
            "voice_transcripts_waiting",
            "Transcripts to be made; kind: live or deferred.",
            {(kind,): count for kind, count in transcripts.items()},
            labels=["kind"],
        )


def recordings_waiting() -> dict[str, int]:
    """Return the number and the PCM bytes of complete recordings that are not stored yet."""
    sealed = Recording.objects.filter(status=Recording.Status.SEALED)
    found = sealed.aggregate(count=Count("pk"), bytes=Sum("byte_count", default=0))
    return {"count": found["count"], "bytes": int(found["bytes"])}


def transcripts_waiting() -> dict[str, int]:
    """Return how many transcripts are waiting: `live` ones, and `deferred` ones that may take longer."""
    waiting = Transcript.objects.filter(status=Transcript.Status.WAITING)
    return waiting.aggregate(
        live=Count("pk", filter=Q(is_deferred=False)), deferred=Count("pk", filter=Q(is_deferred=True))
    )


class Shared(Collector):
    """The state that all machines share, and which stores answer: all are asked at the same time.

    What does not come within `WITHIN_S` is missing: Prometheus waits ten seconds, and a store may hang for
    longer, which is when the other metrics are needed most.
    """

    def __init__(self) -> None:
        self._reads: list[Callable[[], list[Metric]]] = []

    def register(self, collector: Collector) -> None:
        """Add a collector; it reads its stores and yields nothing where they are away."""
        self._reads.append(lambda: list(collector.collect()))

    def collect(self) -> Iterator[Metric]:
        """Yield what came in time."""
        calls: dict[Any, Callable[[], Any]] = {**dict(enumerate(self._reads)), **readiness.STORES}
        answers = asked(calls, within_s=WITHIN_S)
        for number in range(len(self._reads)):
            if _has_come(answers[number]):
                yield from answers[number].result()
        yield _gauge(
            "voice_store_up",
            "1: the store answers; 0: it does not, or too late.",
            {(store,): _has_come(answers[store]) for store in readiness.STORES},
            labels=["store"],
        )


def _has_come(answer: Future[Any]) -> bool:
    return answer.done() and answer.exception() is None


SHARED = Shared()
"""Other apps may register their collectors."""
SHARED.register(RedisState())
SHARED.register(DatabaseState())


def text() -> bytes:
    """Return every metric of this machine and the shared ones, in Prometheus' text format."""
    return generate_latest(of_machine()) + generate_latest(SHARED)


def of_machine() -> CollectorRegistry:
    """Return the metrics of this machine's processes, or of this process alone without a shared directory."""
    if directory := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        _forget_dead_processes(Path(directory))
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        return registry
    return REGISTRY


def _gauge(
    name: str, documentation: str, values: Mapping[Any, float], *, labels: list[str]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def _forget_dead_processes(directory: Path) -> None:
    """Drop the live gauges of processes that were killed; a normal exit drops them itself."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in directory.glob("gauge_live*_*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            multiprocess.mark_process_dead(pid, str(directory))
        except PermissionError:
            pass  # it is running, under another user
