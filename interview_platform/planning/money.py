"""What a plan costs: at peak size, scaled by its load, to zero, on spot, and without the cache of speech."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from interview_platform.planning import candidates
from interview_platform.planning.candidates import Spoken
from interview_platform.planning.capacity import (
    SAMPLE,
    SPAN_S,
    Capacity,
    Simulated,
    sample,
    simulated_pools,
    sized,
)
from interview_platform.planning.demand import Plan
from interview_platform.planning.figures import Figures, Size
from interview_platform.planning.prices import Prices
from interview_platform.planning.simulation import Outcome, Rule, played

DAY_SAMPLE = 5000
DAY_S = 86_400.0
STRETCHES = 144
FIXED = sys.maxsize


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    is_scaled: bool = False
    is_to_zero: bool = False
    is_spot: bool = False
    is_cached: bool = True


SCENARIOS = (
    Scenario("at peak size, on demand"),
    Scenario("at peak size, spot", is_spot=True),
    Scenario("without the cache of speech", is_cached=False),
)
SCENARIOS_OF_A_DAY = (
    *SCENARIOS,
    Scenario("scaled, on demand", is_scaled=True),
    Scenario("scaled to zero, on demand", is_scaled=True, is_to_zero=True),
    Scenario("scaled, spot", is_scaled=True, is_spot=True),
)


@dataclass(frozen=True, slots=True)
class Played:
    """A simulated pool in a scenario; counts are of all its pods, not of the sample."""

    pool: str
    pod_hours: float
    wait_s: float
    evictions: float
    cold_starts: float
    pods_over_time: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Bill:
    """Money for `Capacity.hours`."""

    scenario: Scenario
    pods: float
    stores: float
    traffic: float
    interviews: float
    pools: tuple[Played, ...]

    @property
    def total(self) -> float:
        return self.pods + self.stores + self.traffic

    @property
    def of_an_interview(self) -> float:
        return self.total / self.interviews

    def wait_s(self, pool: str) -> float:
        return next(each.wait_s for each in self.pools if each.pool.startswith(pool))


@dataclass(frozen=True, slots=True)
class _Sampled:
    """share: of the real candidates. The pods of a pool are multiplied by what they stand for."""

    spoken: Sequence[Spoken]
    share: float
    span_s: float


def bills(plan: Plan, figures: Figures, prices: Prices, needed: Capacity) -> list[Bill]:
    """Return the bill of each scenario. Raises BadInput where a target cannot be met."""
    sampled = _sampled(plan, needed)
    scenarios = SCENARIOS_OF_A_DAY if plan.demand.hourly else SCENARIOS
    return [_bill(scenario, plan, figures, prices, needed, sampled) for scenario in scenarios]


def _sampled(plan: Plan, needed: Capacity) -> _Sampled:
    if not plan.demand.hourly:
        share = min(1.0, SAMPLE / needed.at_once)
        return _Sampled(sample(plan, min(needed.at_once, SAMPLE)), share, SPAN_S)
    share = min(1.0, DAY_SAMPLE / plan.demand.candidates)
    rates = tuple(rate * share for rate in plan.demand.a_second)
    return _Sampled(candidates.over_a_day(plan.interview, rates, seed=plan.seed), share, DAY_S)


def _bill(
    scenario: Scenario, plan: Plan, figures: Figures, prices: Prices, needed: Capacity, sampled: _Sampled
) -> Bill:
    if not scenario.is_cached:
        interview = plan.interview.model_copy(update={"unspoken_share": 1.0})
        plan = plan.model_copy(update={"interview": interview})
    cost, results = _unsimulated(scenario, plan, prices, needed), []
    for pool in simulated_pools(plan, figures):
        pods = needed.pool(pool.name).pods
        if not scenario.is_cached and pool.target == "question_audio_s":
            pods = sized(pool, plan, sample(plan, min(needed.at_once, SAMPLE)), needed.at_once).pods
        result = _played(pool, _rule(scenario, pool, plan, prices), pods, sampled, needed.hours, plan.seed)
        cost += prices.pods(pool.size, result.pod_hours, is_spot=scenario.is_spot)
        results.append(result)
    return Bill(
        scenario, cost, _stores(prices, needed), _traffic(prices, needed), needed.interviews, tuple(results)
    )


def _rule(scenario: Scenario, pool: Simulated, plan: Plan, prices: Prices) -> Rule:
    """Return how a pool grows. `most` is set when its pods are known; fixed pools have `least` = `most`."""
    return Rule(
        least=FIXED if not scenario.is_scaled else 0 if scenario.is_to_zero else 1,
        most=FIXED,
        slots=pool.slots,
        cold_start_s=pool.cold_start_s,
        poll_s=plan.scaling.poll_s,
        cooldown_s=plan.scaling.cooldown_s,
        jobs_per_slot=plan.scaling.jobs_per_slot,
        evictions_an_hour=prices.spot.evictions_an_hour if scenario.is_spot else 0.0,
    )


def _played(pool: Simulated, rule: Rule, pods: int, sampled: _Sampled, hours: int, seed: int) -> Played:
    most = max(1, math.ceil(pods * sampled.share))
    rule = replace(rule, least=min(rule.least, most), most=most)
    outcome = played(pool.jobs_of(sampled.spoken), rule, seed=seed, until_s=sampled.span_s)
    stands_for = pods / most
    in_all = stands_for * 3600 * hours / sampled.span_s
    return Played(
        pool.name,
        pod_hours=outcome.pod_s / 3600 * in_all,
        wait_s=outcome.wait_s(),
        evictions=outcome.evictions * in_all,
        cold_starts=outcome.cold_starts * in_all,
        pods_over_time=_over_time(outcome, sampled.span_s, stands_for),
    )


def _over_time(outcome: Outcome, span_s: float, stands_for: float) -> tuple[tuple[float, float], ...]:
    """Return the mean number of pods in each of equal stretches of time."""
    stretch_s = span_s / STRETCHES
    pod_s = [0.0] * STRETCHES
    changes = [*outcome.pods_over_time, (span_s, 0)]
    for (from_s, pods), (until_s, _) in pairwise(changes):
        for n in range(int(from_s / stretch_s), min(STRETCHES, int(until_s / stretch_s) + 1)):
            overlap_s = min(until_s, (n + 1) * stretch_s) - max(from_s, n * stretch_s)
            pod_s[n] += pods * max(0.0, overlap_s)
    return tuple((n * stretch_s, seconds / stretch_s * stands_for) for n, seconds in enumerate(pod_s))


def _unsimulated(scenario: Scenario, plan: Plan, prices: Prices, needed: Capacity) -> float:
    """Return the price of web and captions, which grow with the candidates there, and of the clock."""
    cost = 0.0
    for pool in needed.pools:
        if pool.wait_s is not None:
            continue
        is_worker = pool.name.startswith("worker")
        pod_hours = float(pool.pods * needed.hours)
        if scenario.is_scaled and pool.name != "cron":
            least = 2 if pool.name == "web" else 0 if scenario.is_to_zero else 1
            most = max(plan.demand.a_second)
            pod_hours = float(
                sum(max(least, math.ceil(pool.pods * rate / most)) for rate in plan.demand.a_second)
            )
        cost += prices.pods(pool.size, pod_hours, is_spot=scenario.is_spot and is_worker)
    return cost


def _stores(prices: Prices, needed: Capacity) -> float:
    """Return the price of Redis and PostgreSQL, each with a replica."""
    found = needed.stores
    redis = Size(cores=max(1.0, found.redis_cores), memory_mb=max(512, found.redis_memory_mb))
    postgres = Size(cores=max(1.0, found.postgres_cores), memory_mb=max(2048.0, 4096 * found.postgres_cores))
    return 2 * needed.hours * (prices.hour_of(redis) + prices.hour_of(postgres))


def _traffic(prices: Prices, needed: Capacity) -> float:
    """Return the price of what goes out, and of keeping the new recordings for a month."""
    return needed.stores.egress_gb * prices.egress_gb + needed.stores.storage_gb * prices.storage_gb_month
