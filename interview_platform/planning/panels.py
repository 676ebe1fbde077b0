"""What a plan's picture shows: waits by the number of pods; on a day, candidates and pods by the hour."""

from collections.abc import Sequence
from itertools import pairwise

from interview_platform.planning.capacity import (
    SAMPLE,
    Capacity,
    PoolOfPods,
    Simulated,
    sample,
    simulated_pools,
)
from interview_platform.planning.demand import Plan
from interview_platform.planning.figures import Figures
from interview_platform.planning.money import Bill, Played
from interview_platform.planning.picture import Panel
from interview_platform.planning.simulation import Rule, played

FEWER, MORE = 0.8, 1.4
"""Shares of the chosen number of pods between which waits are drawn."""
STEPS = 8


def panels(plan: Plan, figures: Figures, needed: Capacity, found: Sequence[Bill]) -> list[Panel]:
    """Return the panels from top to bottom."""
    spoken = sample(plan, min(needed.at_once, SAMPLE))
    over_a_day = _of_a_day(plan, needed, found) if needed.hours == 24 else []
    return over_a_day + [
        _waits(pool, needed.pool(pool.name), pool.jobs_of(spoken), needed.at_once)
        for pool in simulated_pools(plan, figures)
        if pool.target != "stored_s"
    ]


def _waits(pool: Simulated, chosen: PoolOfPods, jobs: list, at_once: int) -> Panel:
    stands_for = max(1.0, at_once / SAMPLE)
    fewest, most = int(chosen.sample_pods * FEWER), int(chosen.sample_pods * MORE) + 2
    step = max(1, (most - fewest) // STEPS)
    waits = [
        (pods * stands_for, played(jobs, Rule(pods, pods, slots=pool.slots)).wait_s())
        for pods in range(max(1, fewest), most + 1, step)
    ]
    target_s = chosen.target_s or 0.0
    ends = [(waits[0][0], target_s), (waits[-1][0], target_s)]
    title = f"{pool.name}: wait of 95 of 100, s (chosen: {chosen.pods:,})"
    return Panel(title, "pods", {"wait": waits, "target": ends})


def _of_a_day(plan: Plan, needed: Capacity, found: Sequence[Bill]) -> list[Panel]:
    there = [
        (float(hour + half), rate * plan.interview.length_s)
        for hour, rate in enumerate(plan.demand.a_second)
        for half in (0, 1)
    ]
    shown = {
        bill.scenario.name: {pool.pool: pool for pool in bill.pools}
        for bill in found
        if bill.scenario.is_scaled
    }
    names = [pool.name for pool in needed.pools if pool.wait_s is not None]
    return [Panel("candidates there", "hour", {"candidates": there})] + [
        Panel(f"{name}: pods", "hour", {scenario: _by_hour(pools[name]) for scenario, pools in shown.items()})
        for name in names
    ]


def _by_hour(pool: Played) -> list[tuple[float, float]]:
    """Return the pods as steps."""
    times = [at_s / 3600 for at_s, _ in pool.pods_over_time] + [24.0]
    return [
        point
        for (_, pods), step in zip(pool.pods_over_time, pairwise(times), strict=True)
        for point in ((step[0], pods), (step[1], pods))
    ]
