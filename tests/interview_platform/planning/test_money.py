"""Money by hand, and what scaling, spot and the cache change."""

import pytest

from interview_platform.planning.capacity import capacity
from interview_platform.planning.demand import Plan
from interview_platform.planning.figures import Figures, Size
from interview_platform.planning.inputs import DEFAULTS, read
from interview_platform.planning.money import bills
from interview_platform.planning.prices import Prices

HOURLY = [0] * 8 + [1, 3, 2] + [0] * 13


@pytest.fixture(scope="module")
def prices():
    return read(DEFAULTS / "prices.toml", Prices, {"spot.evictions_an_hour": 1})


@pytest.fixture(scope="module")
def found(prices):
    """The bills of a day, by the name of the scenario."""
    figures = read(DEFAULTS / "figures.toml", Figures)
    changes = {
        "demand.candidates": 240,
        "demand.hourly": HOURLY,
        "choices.synthesis": "kokoro-cpu",
        "targets.question_audio_s": 15,
    }
    plan = read(DEFAULTS / "plan.toml", Plan, changes)
    return {bill.scenario.name: bill for bill in bills(plan, figures, prices, capacity(plan, figures))}


def test_a_pod_costs_its_cores_memory_and_gpus(prices):
    size = Size(cores=2, memory_mb=4096, gpus=1)
    assert prices.hour_of(size) == pytest.approx(2 * 0.04 + 4 * 0.005 + 1.2)
    assert prices.pods(size, 10, is_spot=False) == pytest.approx(13.0)
    assert prices.pods(size, 10, is_spot=True) == pytest.approx(13.0 * 0.35)


def test_a_bill_adds_up(found):
    bill = found["at peak size, on demand"]
    assert bill.total == bill.pods + bill.stores + bill.traffic
    assert bill.of_an_interview == bill.total / 240


def test_pods_at_peak_size_are_paid_for_the_whole_day(found):
    bill = found["at peak size, on demand"]
    assert all(pool.pod_hours % 24 == pytest.approx(0, abs=1e-6) for pool in bill.pools)
    assert sum(pool.cold_starts for pool in bill.pools) == 0


def test_scaling_costs_less_and_zero_least(found):
    peak, scaled, zero = (
        found[name].pods
        for name in ("at peak size, on demand", "scaled, on demand", "scaled to zero, on demand")
    )
    assert zero < scaled < peak


def test_cold_starts_after_zero_are_waited_for(found):
    zero, scaled = found["scaled to zero, on demand"], found["scaled, on demand"]
    assert sum(pool.cold_starts for pool in zero.pools) > sum(pool.cold_starts for pool in scaled.pools)
    assert zero.wait_s("worker-tts") > scaled.wait_s("worker-tts")


def test_spot_costs_less_and_has_evictions(found):
    spot, demand = found["at peak size, spot"], found["at peak size, on demand"]
    assert spot.pods < demand.pods
    assert sum(pool.evictions for pool in spot.pools) > 0
    assert sum(pool.evictions for pool in demand.pools) == 0


def test_without_the_cache_synthesis_takes_more(found):
    hours = [
        next(pool.pod_hours for pool in found[name].pools if pool.pool == "worker-tts")
        for name in ("without the cache of speech", "at peak size, on demand")
    ]
    assert hours[0] > hours[1]


def test_pods_over_time_add_up_to_the_hours_that_are_paid(found):
    for bill in found.values():
        for pool in bill.pools:
            hours = sum(pods for _, pods in pool.pods_over_time) * 24 / len(pool.pods_over_time)
            assert hours == pytest.approx(pool.pod_hours)
