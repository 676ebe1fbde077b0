"""Pools: workers of different machines that can do the same work, each with a list of its own.

    pools.choose("stt", pools.language("de"), client)      # -> "stt-gpu", or "stt" where no such worker lives

A job belongs to a queue, which says what it is and how urgent ("stt": an answer to recognise). It waits in a
list, which says whose workers take it ("stt-gpu": those with a large model on a GPU). So each pool can be
scaled by the length of its own list. Where no list but the queue's own is served, everything waits there.

A living worker tells in its entry in Redis what it serves: the languages that it recognises ("stt/de") and
the engines that speak ("tts/kokoro"). A pool without a living worker that has what a job needs is skipped.
docs/pools.md, docs/adr/0026-pools-with-a-list-each.md
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis
import redis.asyncio
from django.conf import settings
from rq.job import Job
from rq.queue import Queue
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from voice.infra import lua
from voice.queues.waits import age_s
from voice.text.languages import primary_language

LISTS: Final = {
    "stt": ("stt-gpu", "stt"),
    "stt-ahead": ("stt-ahead", "stt-gpu", "stt"),
    "stt-later": ("stt-later", "stt-gpu", "stt"),
    "stt-call": ("stt-call", "stt-gpu", "stt"),
    "stt-batch": ("stt-batch", "stt-gpu", "stt"),
    "tts": ("tts", "tts-gpu"),
    "tts-call": ("tts-call", "tts-gpu"),
}
"""Where the jobs of a queue may wait, the best list first; those of other queues wait in their own list."""
BALANCED: Final = ("stt", "tts")
"""Queues whose jobs go to another pool where that has less to do. The others' lists may be served by
several pools: whoever has time takes the next job."""
PATIENT: Final = ("stt-later", "stt-batch")
"""Nobody waits for these: they stay in their own list while nothing serves it."""
OF_ONE_POOL: Final = ("stt-gpu", "tts-gpu")
"""Lists that the platform does without where there is no such pool."""
DETECTED: Final = "*"
"""Instead of a language: the worker finds out which one is spoken."""

_READ = lua.load(__file__, "pools_read")


@dataclass(frozen=True, slots=True)
class Served:
    """A list at this moment. oldest_s: how long its first job has waited; 0 where nothing waits.

    slots: those that live and serve it. fit: those of them that have what the job needs.
    """

    name: str
    length: int
    oldest_s: float
    slots: int
    fit: int

    def takes(self, queue_name: str) -> bool:
        """Whether a job of the queue is certain to meet a slot that can do it."""
        is_shared = self.name == queue_name and queue_name not in BALANCED
        return bool(self.fit) and (not is_shared or self.fit == self.slots)


def language(tag: str) -> str:
    """Return what recognition in this language needs; "" is a language that has to be detected."""
    return f"stt/{primary_language(tag) if tag else DETECTED}"


def engine(name: str) -> str:
    """Return what speech needs that only this engine can make; "" where any may speak."""
    return f"tts/{name}" if name else ""


def engine_in(needs: str) -> str:
    """Return the engine that `engine` was called with; "" for any."""
    return needs.removeprefix("tts/")


def lists_of(queue_name: str) -> tuple[str, ...]:
    """Return the lists where jobs of the queue may wait, the best first."""
    return LISTS.get(queue_name, (queue_name,))


def rank(queue_name: str, list_name: str) -> int:
    """Return the rank of a queue's jobs in a list: 1 where they give way to those that the list is for."""
    return int(list_name != queue_name and queue_name not in BALANCED)


def choose(queue_name: str, needs: str, connection: redis.Redis, *, tried: Collection[str] = ()) -> str:
    """Return the list that a new job goes to.

    needs: see `language` and `engine`; "" where any worker will do.
    tried: lists whose workers could not do the job.

    Raises redis.RedisError.
    """
    if queue_name not in LISTS:
        return queue_name
    return chosen(queue_name, _without(tried, read(lists_of(queue_name), needs, connection)))


async def choose_now(queue_name: str, needs: str, connection: redis.asyncio.Redis) -> str:
    """The same, on an event loop."""
    if queue_name not in LISTS:
        return queue_name
    return chosen(queue_name, await read_now(lists_of(queue_name), needs, connection))


def others(
    queue_name: str, needs: str, tried: Collection[str], connection: redis.Redis
) -> tuple[Served, ...]:
    """Return the lists, besides those that were tried, where a living worker has what the job needs.

    Raises redis.RedisError.
    """
    states = _without(tried, read(lists_of(queue_name), needs, connection))
    return tuple(state for state in states if state.takes(queue_name))


def read(names: Sequence[str], needs: str, connection: redis.Redis) -> list[Served]:
    """Return the lists of these names, in order. Raises redis.RedisError."""
    return _parsed(names, _READ.run(connection, *_arguments(names, needs)))


async def read_now(names: Sequence[str], needs: str, connection: redis.asyncio.Redis) -> list[Served]:
    """The same, on an event loop."""
    return _parsed(names, await _READ.run_async(connection, *_arguments(names, needs)))


def chosen(queue_name: str, states: Sequence[Served]) -> str:
    """Return the list for a job of the queue, of those that may have it, the best first.

    Of the lists whose workers can do it, the best one whose first job has waited less than
    `settings.SPILL_AFTER_S`; if there is none, the one where that wait is shortest.
    """
    fit = [state for state in states if state.takes(queue_name)]
    if not fit or _waits_at_home(queue_name, states):
        return _without_fit(queue_name, states)
    prompt = [state for state in fit if state.oldest_s < settings.SPILL_AFTER_S]
    if queue_name not in BALANCED or prompt:
        return (prompt or fit)[0].name
    return min(fit, key=lambda state: state.oldest_s).name


def expected_wait_s(states: Sequence[Served]) -> float:
    """Return how long a new job will wait at least: as the first of the list that is served soonest."""
    living = [state.oldest_s for state in states if state.slots]
    return min(living) if living else max((state.oldest_s for state in states), default=0.0)


def _without_fit(queue_name: str, states: Sequence[Served]) -> str:
    """Return a list with living workers, who will say that they can't do it; else the queue's own."""
    if _waits_at_home(queue_name, states):
        return queue_name
    at_home_first = sorted(states, key=lambda state: state.name != queue_name)
    return next((state.name for state in at_home_first if state.slots), queue_name)


def _waits_at_home(queue_name: str, states: Sequence[Served]) -> bool:
    """Whether a job waits until somebody serves its own list."""
    is_served = any(state.slots for state in states if state.name == queue_name)
    return queue_name in PATIENT and not is_served and any(s.name == queue_name for s in states)


def _without(tried: Collection[str], states: Sequence[Served]) -> list[Served]:
    return [state for state in states if state.name not in tried]


def _arguments(names: Sequence[str], needs: str) -> tuple[list[str], list[str]]:
    keys = [
        key
        for name in names
        for key in (Queue.redis_queue_namespace_prefix + name, WORKERS_BY_QUEUE_KEY % name)
    ]
    return keys, [Job.redis_job_namespace_prefix, needs]


def _parsed(names: Sequence[str], answer: Any) -> list[Served]:
    (seconds, microseconds), states = answer
    now = int(seconds) + int(microseconds) / 1e6
    return [
        Served(name, length, age_s(queued_at, now), slots, fit)
        for name, (length, queued_at, slots, fit) in zip(names, states, strict=True)
    ]
