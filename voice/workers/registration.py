"""The slots of a worker process, as Redis knows them: from their birth until they leave."""

import logging
import os
import socket
import threading
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import uuid4

import redis
from rq.worker import WorkerStatus

from voice.infra.backoff import pause_s
from voice.queues import leases
from voice.workers.attendant import Notes
from voice.workers.slot import DEQUEUE_S, FIRST_RECONNECT_S, LONGEST_RECONNECT_S, Slot

logger = logging.getLogger(__name__)

LONG: Final = ("brain-later",)
"""Queues whose jobs can wait and take up to a minute. Beside other queues, each has one slot of its own."""


def registered_slots(
    queue_names: Sequence[str],
    *,
    count: int,
    connection: redis.Redis,
    notes: Notes,
    stopping: threading.Event,
    serves: str = "",
) -> list[Slot]:
    """Slots that Redis and the attendant know; Redis may take long to come up. None once `stopping` is set.

    count: jobs at a time. With several queues there is one slot more, which serves only the first queue and
    its `-later`: however long the others work, what is most urgent waits for the engine alone. Each of the
    `LONG` has one more.
    serves: what their process can do, for `voice.queues.pools`.
    """
    failures = 0
    while not stopping.is_set():
        try:
            served = served_by_slots(queue_names, count)
            slots = [_slot(names, index, connection) for index, names in enumerate(served)]
            for slot in slots:
                slot.notes = notes
                slot.register_birth()
                slot.tell_what_it_serves(serves)
                slot.set_state(WorkerStatus.IDLE)
                notes.write("slot", slot=slot.key)
        except redis.RedisError as error:
            logger.warning("Redis not reached (%s): trying again", type(error).__name__)
            failures += 1
            stopping.wait(pause_s(failures, first_s=FIRST_RECONNECT_S, longest_s=LONGEST_RECONNECT_S))
        else:
            return slots
    return []


def served_by_slots(queue_names: Sequence[str], count: int) -> list[Sequence[str]]:
    """Return the queues of each slot."""
    quick = [name for name in queue_names if name not in LONG]
    if not quick:
        return [queue_names] * count
    reserved = [_reserved(quick)] if len(quick) > 1 else []
    return [*reserved, *[quick] * count, *([name] for name in queue_names if name in LONG)]


def give_up(slots: Sequence[Slot], connection: redis.Redis, *, is_drained: bool) -> None:
    """Let other workers have the jobs that run in the slots, and forget the slots.

    is_drained: the process was asked to end.
    """
    try:
        leases.give_up([slot.key for slot in slots], connection, is_drained=is_drained)
        forget(slots)
    except redis.RedisError as error:
        logger.warning("Redis not reached (%s): leases end in %d s", type(error).__name__, leases.LEASE_S)


def forget(slots: Iterable[Slot]) -> None:
    """Tell Redis that the slots have left. Raises redis.RedisError."""
    for slot in slots:
        slot.notes.write("left", slot=slot.key)
        slot.register_death()


def _slot(queue_names: Sequence[str], index: int, connection: redis.Redis) -> Slot:
    return Slot(
        queue_names,
        name=f"{socket.gethostname()}.{os.getpid()}.{index}.{uuid4().hex[:6]}",
        connection=connection,
        # RQ takes these 15 off again; it gives sockets 10 s more than a look lasts
        worker_ttl=DEQUEUE_S + 15,
        log_job_description=False,
    )


def _reserved(queue_names: Sequence[str]) -> list[str]:
    first = queue_names[0]
    later = f"{first.removesuffix('-gpu')}-later"
    return [name for name in queue_names if name in (first, later)]
