"""What this process leaves undone under load, and what all of them do.

    retreat.watch()                      # once a connection: the event loop's monitor runs from then on
    retreat.is_off(Step.CAPTIONS)        # a comparison: ask wherever a step would be taken

The monitor feels how late the event loop is, how far listening is behind, and how long the first job of `stt`
has waited; `voice.capacity.ladder` decides. Each process decides for itself and tells Redis once a second,
for the admin's page and /stats; what it told counts for `LEASE_S`.

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
from voice.infra import redis_clients
from voice.queues import waits

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
LEASE_S = 10
HASH_TTL_S = 60
_TELL = """
redis.call('HSET', KEYS[1], ARGV[1], redis.call('TIME')[1] .. ' ' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""
"""A field for each process: the second, by the clock of Redis, and for how long each step has been off."""
LOOK_EVERY_S = 1.0
ANSWER_WITHIN_S = 1.0
TICKS = 4
"""So often a look the loop's lateness is measured; the worst counts."""

LATE_S = 0.2
"""An event loop so late cannot acknowledge a frame within 250 ms."""
BEHIND_S = 2.0
"""Whoever speaks would be told so much too late that the turn has ended."""
QUEUED_S = 10.0
"""Nobody waits before the screen for a transcript that takes longer."""
HELD = (CALM + TOO_MUCH) / 2
"""Pressure that goes neither further nor back."""
DEFERRED_QUEUE = "stt-later"


class Felt(NamedTuple):
    """What the monitor measured, in seconds.

    late_s: the event loop; behind_s: listening; queued_s, deferred_s: the first job of `stt`, of `stt-later`.
    """

    late_s: float = 0.0
    behind_s: float = 0.0
    queued_s: float = 0.0
    deferred_s: float = 0.0


def pressure(felt: Felt, level: int) -> float:
    """How hard this process is pressed; 1 is too much.

    Once transcripts are deferred the queues press no further, for then they take nothing from anybody. But
    the retreat holds until the deferred are done, or else it would come back into the same backlog. Newcomers
    wait only while the web process itself cannot follow: whatever lies in the queues, they are let in again.
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

    off_s: for how many seconds each step has been off, in the order of the steps; as many as are off.
    """

    process: str
    off_s: list[float]


class StepOff(NamedTuple):
    """A step that some processes do without. longest_s: for how long the first of them has."""

    step: Step
    processes: int
    longest_s: float


_ladder = Ladder()
_monitor: asyncio.Task[None] | None = None


def is_off(step: Step) -> bool:
    """Whether this process does without `step` now."""
    return _ladder.level >= step


def watch(behind_s: Callable[[], float]) -> None:
    """Start the running event loop's monitor, unless it runs. One event loop a process is watched.

    behind_s: for how many seconds the oldest audio of this event loop has waited for voice activity.
    """
    global _ladder, _monitor
    loop = asyncio.get_running_loop()
    if _monitor is None or _monitor.done() or _monitor.get_loop() is not loop:
        _ladder = Ladder()
        _monitor = loop.create_task(_watch(_ladder, behind_s))


def processes(connection: redis.Redis) -> list[ProcessRetreat]:
    """Every process that is watched, on whichever machine. Raises redis.RedisError."""
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
    """What these processes do without, in the order of the steps."""
    off = [(step, [p.off_s[step - 1] for p in of if len(p.off_s) >= step]) for step in Step]
    return [StepOff(step, len(seconds), max(seconds)) for step, seconds in off if seconds]


async def _watch(ladder: Ladder, behind_s: Callable[[], float]) -> None:
    off_since: list[float] = []  # when each step went off, by the monotonic clock
    metrics.RETREAT_LEVEL.set(0)
    try:
        while True:
            await _look(ladder, off_since, behind_s)
    finally:
        ladder.level = 0  # nobody looks any more


async def _look(ladder: Ladder, off_since: list[float], behind_s: Callable[[], float]) -> None:
    """Feel for `LOOK_EVERY_S`, and take a step if that is due."""
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
    """How much later than asked the loop came back, at worst, in the ticks of one look."""
    worst_s = 0.0
    for _ in range(TICKS):
        due_at = time.monotonic() + LOOK_EVERY_S / TICKS
        await asyncio.sleep(LOOK_EVERY_S / TICKS)
        worst_s = max(worst_s, time.monotonic() - due_at)
    return worst_s


async def _queued_s(off_since: list[float]) -> tuple[float, float]:
    """How long the first jobs of `stt` and `stt-later` have waited; says in Redis how far this process is.

    What is not known presses nobody.
    """
    now_s = time.monotonic()
    told = json.dumps([round(now_s - since_s, 1) for since_s in off_since])
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            client = redis_clients.async_client()
            await client.eval(_TELL, 1, KEY, _this_process(), told, HASH_TTL_S)
            queues = await waits.read_now(["stt", DEFERRED_QUEUE], client)
    except (redis.RedisError, TimeoutError):
        return 0.0, 0.0
    return queues["stt"].oldest_s, queues[DEFERRED_QUEUE].oldest_s


def _this_process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
