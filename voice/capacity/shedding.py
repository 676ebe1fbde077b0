"""Load shedding: the steps that this process has switched off, and those of all processes.

    shedding.watch(behind_s)             # once a connection: the event loop's monitor runs from then on
    shedding.is_off(Step.CAPTIONS)       # a comparison: check before each such step

The monitor measures how late the event loop is, how far voice activity is behind, and how long the first job
of `stt` has waited; `voice.capacity.ladder` decides. Each process decides for itself and reports to Redis
once a second, for the admin's page and /stats; a report counts for `LEASE_S`.

The order and its limits: docs/adr/0013-order-of-retreat.md.
"""

import asyncio
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import redis

from voice import metrics
from voice.capacity.ladder import CALM, TOO_MUCH, Ladder, Step
from voice.infra import correlation, lua, redis_clients
from voice.queues import pools

__all__ = [
    "Felt",
    "ProcessRetreat",
    "Step",
    "StepOff",
    "is_off",
    "pressure",
    "processes",
    "steps_off",
    "watch",
]

logger = logging.getLogger(__name__)

KEY = "voice:retreat"
"""A field for each process: the second, by the clock of Redis, and for how long each step has been off."""
LEASE_S = 10
HASH_TTL_S = 60
LOOK_EVERY_S = 1.0
ANSWER_WITHIN_S = 1.0
TICKS = 4
"""How often the loop's lateness is measured in one round; the worst value counts."""

LATE_S = 0.2
"""An event loop that is this late cannot acknowledge a frame within 250 ms."""
BEHIND_S = 2.0
"""A speaker would learn this much too late that the turn has ended."""
QUEUED_S = 10.0
"""Candidates do not wait at the screen for a transcript that takes longer."""
HELD = (CALM + TOO_MUCH) / 2
"""A pressure at which the level does not change."""
DEFERRED_QUEUE = "stt-later"

_TELL = lua.load(__file__, "retreat_tell")


class Felt(NamedTuple):
    """The monitor's measurements, in seconds.

    late_s: lateness of the event loop; behind_s: delay of voice activity; queued_s, deferred_s: wait of the
    first job of `stt` and of `stt-later`.
    """

    late_s: float = 0.0
    behind_s: float = 0.0
    queued_s: float = 0.0
    deferred_s: float = 0.0


def pressure(felt: Felt, level: int) -> float:
    """Return the pressure on this process; 1 is too much.

    Once transcripts are deferred, the queues cause no further step, because they then take nothing from other
    work. But the retreat holds until the deferred transcripts are done; otherwise the process would return
    into the same backlog. New candidates wait only while the web process itself cannot keep up: they are
    admitted again whatever the queues hold.
    """
    own = max(felt.late_s / LATE_S, felt.behind_s / BEHIND_S)
    if level > Step.TRANSCRIPTS:
        return own
    queued = felt.queued_s / QUEUED_S
    if level == Step.TRANSCRIPTS:
        queued = min(queued, HELD)
    return max(own, queued, min(felt.deferred_s / QUEUED_S, HELD))


@dataclass(frozen=True, slots=True)
class ProcessRetreat:
    """How far a process has retreated.

    off_s: how many seconds each step has been off, in the order of the steps, only for the steps that are
    off.
    """

    process: str
    off_s: list[float]


class StepOff(NamedTuple):
    """A step that some processes have switched off. longest_s: the longest time among them."""

    step: Step
    processes: int
    longest_s: float


_ladder = Ladder()
_monitor: asyncio.Task[None] | None = None


def is_off(step: Step) -> bool:
    """Whether this process has switched `step` off."""
    return _ladder.level >= step


def watch(behind_s: Callable[[], float]) -> None:
    """Start the monitor of the running event loop unless it runs. A process has one monitored loop.

    behind_s: returns how many seconds the oldest audio of this loop has waited for voice activity.
    """
    global _ladder, _monitor
    loop = asyncio.get_running_loop()
    if _monitor is None or _monitor.done() or _monitor.get_loop() is not loop:
        _ladder = Ladder()
        _monitor = correlation.task_for_all(_watch(_ladder, behind_s))


def processes(connection: redis.Redis) -> list[ProcessRetreat]:
    """Return every monitored process on all machines. Raises redis.RedisError."""
    now = int(connection.time()[0])
    fields = cast("dict[bytes, bytes]", connection.hgetall(KEY))
    told = {name.decode(): value.decode().split(" ", 1) for name, value in fields.items()}
    if gone := [name for name, (at, _) in told.items() if int(at) < now - LEASE_S]:
        connection.hdel(KEY, *gone)
    return [
        ProcessRetreat(name, [seconds + now - int(at) for seconds in json.loads(off_s)])
        for name, (at, off_s) in sorted(told.items())
        if name not in gone
    ]


def steps_off(of: Sequence[ProcessRetreat]) -> list[StepOff]:
    """Return the steps that these processes have switched off, in order."""
    off = [(step, [p.off_s[step - 1] for p in of if len(p.off_s) >= step]) for step in Step]
    return [StepOff(step, len(seconds), max(seconds)) for step, seconds in off if seconds]


async def _watch(ladder: Ladder, behind_s: Callable[[], float]) -> None:
    off_since: list[float] = []  # when each step went off, by the monotonic clock
    metrics.RETREAT_LEVEL.set(0)
    try:
        while True:
            await _look(ladder, off_since, behind_s)
    finally:
        ladder.level = 0  # no longer monitored


async def _look(ladder: Ladder, off_since: list[float], behind_s: Callable[[], float]) -> None:
    """Measure for `LOOK_EVERY_S`, and take a step if it is due."""
    felt = Felt(await _late_s(), behind_s(), *await _queued_s(off_since))
    now_s, before = time.monotonic(), ladder.level
    if ladder.feel(pressure(felt, before), now_s) > before:
        off_since.append(now_s)
        _changed(Step(ladder.level), "off", ladder.level, felt)
    elif ladder.level < before:
        off_since.pop()
        _changed(Step(before), "on", ladder.level, felt)


def _changed(step: Step, direction: str, level: int, felt: Felt) -> None:
    metrics.RETREAT_LEVEL.set(level)
    metrics.RETREAT_CHANGES.labels(step=step.name.lower(), direction=direction).inc()
    measured = ", ".join(f"{name[:-2]} {seconds:.1f} s" for name, seconds in felt._asdict().items())
    logger.warning("retreat: %s is %s (%s)", step.name.lower(), direction, measured)


async def _late_s() -> float:
    """Return the worst delay of the loop's sleeps in one round."""
    worst_s = 0.0
    for _ in range(TICKS):
        due_at = time.monotonic() + LOOK_EVERY_S / TICKS
        await asyncio.sleep(LOOK_EVERY_S / TICKS)
        worst_s = max(worst_s, time.monotonic() - due_at)
    return worst_s


async def _queued_s(off_since: list[float]) -> tuple[float, float]:
    """Return how long the first jobs of `stt` and `stt-later` have waited; report this process to Redis.

    Of several pools that recognise answers, the one counts that would begin a new job first.

    An unknown wait counts as 0.
    """
    now_s = time.monotonic()
    told = json.dumps([round(now_s - since_s, 1) for since_s in off_since])
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            client = redis_clients.async_client()
            await _TELL.run_async(client, [KEY], [_this_process(), told, HASH_TTL_S])
            names = (*pools.lists_of("stt"), DEFERRED_QUEUE)
            *answers, deferred = await pools.read_now(names, "", client)
    except (redis.RedisError, TimeoutError):
        return 0.0, 0.0
    return pools.expected_wait_s(answers), deferred.oldest_s


def _this_process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
