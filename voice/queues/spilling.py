"""Move jobs that wait in the list of one pool to another pool that can do them sooner.

The sweeper calls `spill` every few seconds: for the jobs of a pool that has died, and of one that has more to
do than it can. A new job avoids such a pool at once (`voice.queues.pools.choose`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import redis
from django.conf import settings
from rq.job import Job
from rq.utils import now, utcformat

from voice import metrics
from voice.infra import lua
from voice.queues import jobs, pools
from voice.queues.pools import Served
from voice.queues.waits import age_s

LOOK_AT = 1000
"""So many jobs of a list are looked at in one round."""
AHEAD = 2
"""So many jobs for each of its slots may wait in a list that takes the work of another."""

_MOVE = lua.load(__file__, "job_move")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job in a list."""

    job_id: str
    list_name: str
    queue_name: str
    needs: str
    waited_s: float


def spill(connection: redis.Redis) -> int:
    """Move what waits too long, or for no one; return how many jobs were moved. Raises redis.RedisError."""
    if not any(state.slots or state.length for state in pools.read(pools.OF_ONE_POOL, "", connection)):
        return 0
    moved: Counter[str] = Counter()
    read: dict[tuple[str, str], list[Served]] = {}
    for job in _waiting(connection):
        about = (job.queue_name, job.needs)
        if about not in read:
            read[about] = pools.read(pools.lists_of(job.queue_name), job.needs, connection)
        to, reason = _better(job, read[about], moved)
        if to and _move(job, to, connection):
            moved[to] += 1
            metrics.JOBS_MOVED.labels(**{"from": job.list_name, "to": to, "reason": reason}).inc()
    return moved.total()


def _better(job: Waiting, states: Sequence[Served], moved: Counter[str]) -> tuple[str, str]:
    """Return where the job is better off, and why; "" where it stays."""
    here = next((state for state in states if state.name == job.list_name), None)
    if here is None or not here.takes(job.queue_name):
        elsewhere = pools.chosen(job.queue_name, states)
        is_new = elsewhere != job.list_name
        return (elsewhere, "not_served") if is_new else ("", "")
    if job.queue_name in pools.BALANCED and job.waited_s > settings.SPILL_AFTER_S:
        return _with_room(job, states, moved), "waited"
    return "", ""


def _with_room(job: Waiting, states: Sequence[Served], moved: Counter[str]) -> str:
    """Return the list of another pool that would begin the job soon; "" if there is none."""
    for state in states:
        room = AHEAD * state.fit - state.length - moved[state.name]
        is_prompt = state.oldest_s < min(settings.SPILL_AFTER_S, job.waited_s)
        if state.name != job.list_name and state.takes(job.queue_name) and is_prompt and room > 0:
            return state.name
    return ""


def _waiting(connection: redis.Redis) -> Iterator[Waiting]:
    """Yield the jobs of all lists that have alternatives, the last of each list first.

    Each moves to the front of the other list, so those that are moved keep their order.
    """
    names = sorted({name for lists in pools.LISTS.values() for name in lists})
    with connection.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.lrange(jobs.key(name), 0, LOOK_AT - 1)
        pipe.time()
        *lists, (seconds, microseconds) = pipe.execute()
    for name, ids in zip(names, lists, strict=True):
        yield from _read(name, [job_id.decode() for job_id in ids], seconds + microseconds / 1e6, connection)


def _read(list_name: str, job_ids: Sequence[str], now_s: float, connection: redis.Redis) -> Iterator[Waiting]:
    with connection.pipeline(transaction=False) as pipe:
        for job_id in job_ids:
            pipe.hmget(Job.key_for(job_id), "queue", "needs", "enqueued_at")
        answers = pipe.execute(raise_on_error=False)
    for job_id, fields in reversed(list(zip(job_ids, answers, strict=True))):
        if not isinstance(fields, redis.RedisError):  # whatever somebody wrote under the key of a job
            queue_name, needs, queued_at = [(value or b"").decode(errors="replace") for value in fields]
            waited_s = age_s(queued_at.encode(), now_s)
            yield Waiting(job_id, list_name, queue_name or list_name, needs, waited_s)


def _move(job: Waiting, to: str, connection: redis.Redis) -> bool:
    keys = [jobs.key(job.list_name), jobs.key(to), Job.key_for(job.job_id), jobs.bell(to)]
    rank = pools.rank(job.queue_name, to)
    values = [job.job_id, to, utcformat(now()), jobs.RINGS, job.queue_name, rank]
    return bool(_MOVE.run(connection, keys, values))
