"""A pool of workers, simulated event by event: jobs wait for slots of pods, which come and go."""

import random
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from interview_platform.planning.jobs import Job

Steps = Generator[simpy.Event, Any, None]
Waiting = tuple[float, int, Job]
"""Since when, number, and the job: first come, first served."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How many pods there are. With `least` = `most` their number is fixed.

    slots: jobs that a pod does at a time.
    jobs_per_slot: waiting and running jobs for which the autoscaler wants a slot.
    cold_start_s: from a new pod's request to its first job. The pods of the beginning are warm.
    """

    least: int
    most: int
    slots: int = 1
    cold_start_s: float = 0.0
    poll_s: float = 15.0
    cooldown_s: float = 300.0
    jobs_per_slot: float = 1.0
    evictions_an_hour: float = 0.0


@dataclass(slots=True)
class Outcome:
    """What became of the jobs. Waits are from a job's arrival to its end, if it is awaited."""

    waits_s: list[float] = field(default_factory=list)
    pods_over_time: list[tuple[float, int]] = field(default_factory=list)
    busy_s: float = 0.0
    pod_s: float = 0.0
    evictions: int = 0
    cold_starts: int = 0
    made_again: int = 0
    done: int = 0

    def wait_s(self, share: float = 0.95) -> float:
        """Return the wait that this share of the jobs did not exceed."""
        return float(np.quantile(self.waits_s, share)) if self.waits_s else 0.0

    @property
    def most_pods(self) -> int:
        return max((pods for _, pods in self.pods_over_time), default=0)


def played(jobs: Sequence[Job], rule: Rule, *, seed: int = 1, until_s: float | None = None) -> Outcome:
    """Return what becomes of jobs, sorted by time, in a pool. Without `until_s` it ends with the last job.

    A pod that is evicted loses the jobs under way: they are made again from their beginning.
    """
    env = simpy.Environment()
    pool = _Pool(env, rule, len(jobs), random.Random(seed))
    env.process(pool.arrivals(jobs))
    env.run(until=pool.all_done if until_s is None else until_s)
    return pool.closed()


class _Pool:
    def __init__(self, env: simpy.Environment, rule: Rule, job_count: int, dice: random.Random) -> None:
        self.env, self.rule, self.dice = env, rule, dice
        self.waiting = simpy.PriorityStore(env)
        self.outcome = Outcome()
        self.all_done = env.event()
        self.pods: list[_Pod] = []
        self.running = 0
        self._left = job_count
        self._wanted: deque[tuple[float, int]] = deque()
        for _ in range(rule.least):
            self.start_pod(cold_start_s=0.0)
        if rule.most > rule.least:
            env.process(self._autoscaler())
        if not job_count:
            self.all_done.succeed()

    def arrivals(self, jobs: Sequence[Job]) -> Steps:
        for number, job in enumerate(jobs):
            if job.at_s > self.env.now:
                yield self.env.timeout(job.at_s - self.env.now)
            self.waiting.put((job.at_s, number, job))

    def start_pod(self, *, cold_start_s: float) -> None:
        self.outcome.cold_starts += cold_start_s > 0
        self.pods.append(_Pod(self, cold_start_s))
        self._note()

    def removed(self, pod: "_Pod") -> None:
        """Take a pod from the list, and count how long it was there."""
        self.pods.remove(pod)
        self.outcome.pod_s += self.env.now - pod.started_at_s
        self._note()

    def evicted(self, pod: "_Pod") -> None:
        """Replace a pod that its node's owner took away."""
        self.outcome.evictions += 1
        self.removed(pod)
        if self.rule.most == self.rule.least:  # else the autoscaler looks after it
            self.start_pod(cold_start_s=self.rule.cold_start_s)

    def done(self, job: Job) -> None:
        self.outcome.done += 1
        self.outcome.busy_s += job.service_s
        if job.is_awaited:
            self.outcome.waits_s.append(self.env.now - job.at_s)
        self._left -= 1
        if not self._left:
            self.all_done.succeed()

    def again(self, job: Waiting) -> None:
        """Queue a job again whose pod was evicted."""
        self.outcome.made_again += 1
        self.waiting.put(job)

    def closed(self) -> Outcome:
        self.outcome.pod_s += sum(self.env.now - pod.started_at_s for pod in self.pods)
        return self.outcome

    def _note(self) -> None:
        self.outcome.pods_over_time.append((self.env.now, len(self.pods)))

    def _autoscaler(self) -> Steps:
        """Want as many slots as there are jobs; give a pod up when it was not wanted for the cooldown."""
        while True:
            staying = [pod for pod in self.pods if not pod.is_leaving]
            wanted = self._wanted_pods()
            for _ in range(wanted - len(staying)):
                self.start_pod(cold_start_s=self.rule.cold_start_s)
            for pod in staying[wanted:][::-1]:
                pod.leave()
            yield self.env.timeout(self.rule.poll_s)

    def _wanted_pods(self) -> int:
        load = len(self.waiting.items) + self.running
        now = -int(-load // (self.rule.jobs_per_slot * self.rule.slots))
        self._wanted.append((self.env.now, min(self.rule.most, max(self.rule.least, now))))
        while self._wanted[0][0] < self.env.now - self.rule.cooldown_s:
            self._wanted.popleft()
        return max(wanted for _, wanted in self._wanted)


class _Pod:
    def __init__(self, pool: _Pool, cold_start_s: float) -> None:
        self._pool = pool
        self.started_at_s = pool.env.now
        self.is_leaving = False
        self._idle: set[simpy.Process] = set()
        self._slots = {pool.env.process(self._slot(cold_start_s)) for _ in range(pool.rule.slots)}
        if pool.rule.evictions_an_hour:
            pool.env.process(self._eviction())

    def leave(self) -> None:
        """End every slot after its job (a drained pod)."""
        self.is_leaving = True
        for slot in [*self._idle]:
            slot.interrupt()

    def _eviction(self) -> Steps:
        yield self._pool.env.timeout(self._pool.dice.expovariate(self._pool.rule.evictions_an_hour / 3600))
        if self._slots:
            slots, self._slots = self._slots, set()
            for slot in slots:
                slot.interrupt()
            self._pool.evicted(self)

    def _slot(self, cold_start_s: float) -> Steps:
        own = self._pool.env.active_process
        assert own is not None  # a generator runs as a process
        try:
            if cold_start_s:
                yield from self._idly(own, self._pool.env.timeout(cold_start_s))
            while not self.is_leaving:
                job = yield from self._idly(own, self._pool.waiting.get())
                yield from self._work(job)
        except simpy.Interrupt:
            pass
        if own in self._slots:
            self._slots.remove(own)
            if not self._slots:
                self._pool.removed(self)

    def _idly(self, own: simpy.Process, event: Any) -> Generator[simpy.Event, Any, Any]:
        self._idle.add(own)
        try:
            return (yield event)
        except simpy.Interrupt:
            if hasattr(event, "cancel"):
                event.cancel()
                if event.triggered:  # given a job in the same moment
                    self._pool.waiting.put(event.value)
            raise
        finally:
            self._idle.discard(own)

    def _work(self, job: Waiting) -> Steps:
        self._pool.running += 1
        try:
            yield self._pool.env.timeout(job[2].service_s)
        except simpy.Interrupt:
            self._pool.again(job)
            raise
        finally:
            self._pool.running -= 1
        self._pool.done(job[2])
