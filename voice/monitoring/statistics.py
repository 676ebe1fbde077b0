"""Statistics of the speech service for people; graphs and alerts read /metrics instead."""

import platform
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from importlib import metadata
from typing import Any, Final

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from prometheus_client.core import Sample

from voice.callers import Caller
from voice.capacity import rate_limits, shedding
from voice.engines import defaults as engines
from voice.inference import breaker, reports
from voice.infra import redis_clients
from voice.monitoring import prometheus
from voice.queues import waits
from voice.service import batches
from voice.speech import cache, voices

LIBRARIES: Final = (*engines.LIBRARIES, "av", "django", "daphne", "rq")
SHARES: Final = (0.5, 0.95)


Samples = dict[str, list[Sample]]
"""By the name of the metric; empty for a metric that counted nothing yet."""


FURTHER: dict[str, Callable[[], Any]] = {}
"""Statistics of other apps, by their name in the answer; each may raise redis.RedisError."""
FURTHER_OF_OWNER: dict[str, Callable[[str], Any]] = {}
"""Those of one owner (`Caller.owner`), who sees them; each may raise redis.RedisError or DatabaseError."""


def read(caller: Caller) -> dict[str, Any]:
    """Return what a caller may know: operators everything, others what is their own. For a thread.

    Values from an unreachable store are null.
    """
    return _of_installation() if caller.is_operator else _of_caller(caller)


def _of_caller(caller: Caller) -> dict[str, Any]:
    own: dict[str, Callable[[], Any]] = {"connections": lambda: rate_limits.open_connections(caller)}
    if caller.owner:
        own["batch_files"] = lambda: batches.count_files(caller.owner)
        own["cloned_voices"] = lambda: len(voices.cloned(caller.owner))
        own |= {name: partial(tell, caller.owner) for name, tell in FURTHER_OF_OWNER.items()}
    return {name: _or_none(tell) for name, tell in own.items()}


def _or_none(tell: Callable[[], Any]) -> Any:
    try:
        return tell()
    except (redis.RedisError, DatabaseError):
        return None


def _of_installation() -> dict[str, Any]:
    """Return connections, queues, retreat, waiting rows, calls, cache, engines, breakers, versions.

    Counts of calls and connections are of this machine, since its processes started; all others are of the
    whole installation.
    """
    samples: Samples = defaultdict(list)
    for family in prometheus.of_machine().collect():
        samples[family.name] += family.samples
    return {
        "connections": _by_label(samples["voice_connections"], "socket"),
        "refused": _by_label(samples["voice_refused"], "reason"),
        "calls": _calls(samples),
        **_shared(),
        **_waiting(),
        **_further(),
        "versions": _versions(),
    }


def _shared() -> dict[str, Any]:
    try:
        return {
            "queues": _queues(),
            "retreat": _retreat(),
            "cache": _cache(),
            "engines": _engines(),
            "breakers": [
                {
                    "direction": state.direction,
                    "engine": state.engine,
                    "state": state.name,
                    "failures": state.failures,
                    "retry_after_s": round(state.retry_after_s, 1),
                }
                for state in breaker.configured()
            ],
        }
    except redis.RedisError:
        return dict.fromkeys(("queues", "retreat", "cache", "engines", "breakers"))


def _further() -> dict[str, Any]:
    return {name: _or_none(tell) for name, tell in FURTHER.items()}


def _queues() -> dict[str, Any]:
    """How many wait in each queue, and for how long the first of them has."""
    queues = waits.read(settings.QUEUE_NAMES, redis_clients.sync_client())
    return {name: wait._asdict() for name, wait in queues.items()}


def _retreat() -> dict[str, Any]:
    """Return the steps that web processes have switched off under load."""
    processes = shedding.processes(redis_clients.sync_client())
    off = [
        {"step": off.step.name.lower(), "processes": off.processes, "for_s": round(off.longest_s)}
        for off in shedding.steps_off(processes)
    ]
    return {"processes": len(processes), "off": off}


def _waiting() -> dict[str, Any]:
    """Return what waits in PostgreSQL; null while it is unreachable."""
    try:
        return {
            "transcripts_waiting": prometheus.transcripts_waiting(),
            "recordings_waiting": prometheus.recordings_waiting(),
        }
    except DatabaseError:
        return dict.fromkeys(("transcripts_waiting", "recordings_waiting"))


def _cache() -> dict[str, Any]:
    cached = cache.statistics()
    return {
        "items": cached.items,
        "bytes": cached.bytes,
        "hits": cached.hits,
        "misses": cached.misses,
        "hit_rate": round(cached.hit_rate, 4),
    }


def _engines() -> list[dict[str, Any]]:
    names = ["direction", "engine", "model", "device", "state", "last_error", "host", "pid"]
    return [{name: getattr(report, name) for name in names} for report in reports.current()]


def _by_label(samples: list[Sample], label: str) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for sample in samples:
        totals[sample.labels[label]] += int(sample.value)
    return dict(totals)


def _calls(samples: Samples) -> dict[str, Any]:
    """Return by kind the count of each outcome, and how long calls waited and took."""
    outcomes: dict[str, dict[str, int]] = defaultdict(dict)
    for sample in samples["voice_calls"]:
        if sample.name == "voice_calls_total":
            outcomes[sample.labels["kind"]][sample.labels["outcome"]] = int(sample.value)
    return {
        kind: {
            "outcomes": counts,
            "wait_s": _spread(samples["voice_call_wait_seconds"], kind),
            "total_s": _spread(samples["voice_call_seconds"], kind),
        }
        for kind, counts in outcomes.items()
    }


def _spread(samples: list[Sample], kind: str) -> dict[str, float | None]:
    """Return upper bounds of the median and the 95th percentile: the edges of their histogram buckets."""
    buckets = sorted(
        (float(sample.labels["le"]), sample.value)
        for sample in samples
        if sample.name.endswith("_bucket") and sample.labels["kind"] == kind
    )
    total = buckets[-1][1] if buckets else 0.0
    return {
        f"p{round(100 * share)}": next(
            (edge for edge, count in buckets if count >= share * total and edge != float("inf")), None
        )
        if total
        else None
        for share in SHARES
    }


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
