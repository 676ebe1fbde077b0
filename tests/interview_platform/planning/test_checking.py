"""The planner against the load tests of docs/performance.md."""

import pytest

from interview_platform.planning.checking import checks
from interview_platform.planning.figures import Figures
from interview_platform.planning.inputs import DEFAULTS, BadInput, read
from interview_platform.planning.stores import RESOURCES, Line, fitted, line_of

OUTSIDE = {(100, "recordings", 102), (100, "audio", 0.07)}
"""The first run with 100 candidates made fewer recordings than the same run later (docs/capacity.md)."""


@pytest.fixture(scope="module")
def figures():
    return read(DEFAULTS / "figures.toml", Figures)


def test_the_planner_is_within_a_fifth_of_the_load_tests(figures):
    rows = checks(figures)
    outside = {(row.candidates, row.what, row.measured) for row in rows if not row.is_within}
    assert outside == OUTSIDE
    assert {row.candidates for row in rows} == {100, 300, 1000}


def test_a_line_is_found_again():
    line = fitted([10, 20, 40], [Line(3, 0.5).at(number) for number in (10, 20, 40)])
    assert (line.fixed, line.each) == pytest.approx((3, 0.5))


def test_no_part_of_a_line_is_below_zero():
    assert fitted([1, 2, 3], [1, 3, 5]).fixed == 0
    assert fitted([1, 2, 3], [5, 3, 1]).each == 0


def test_a_resource_that_one_run_measured_is_named(figures):
    with pytest.raises(BadInput, match="runs: web_cpu_s"):
        line_of(RESOURCES[0], figures.runs[:1], figures)
