"""What web processes and stores take, from load tests: a fixed part, and a part for each candidate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from interview_platform.planning.demand import Interview
from interview_platform.planning.figures import Figures, Run
from interview_platform.planning.inputs import BadInput


@dataclass(frozen=True, slots=True)
class Line:
    """fixed + each * number."""

    fixed: float
    each: float

    def at(self, number: float) -> float:
        return self.fixed + self.each * number


def fitted(numbers: Sequence[float], values: Sequence[float]) -> Line:
    """Return the line with the least squares of relative errors; neither part is below 0.

    values: above 0.
    """
    x, y = np.asarray(numbers, float), np.asarray(values, float)
    fixed, each = np.linalg.lstsq(np.stack([1 / y, x / y], axis=1), np.ones_like(y), rcond=None)[0]
    if fixed < 0:
        return Line(0.0, float((x / y).sum() / ((x / y) ** 2).sum()))
    if each < 0:
        return Line(float((1 / y).sum() / (1 / y**2).sum()), 0.0)
    return Line(float(fixed), float(each))


@dataclass(frozen=True, slots=True)
class Resource:
    """name: a field of `Run`. title: for people. number: what it grows with. value: what it is, of a run."""

    name: str
    title: str
    unit: str
    number: Callable[[float, float, float], float]
    is_for_a_candidate_minute: bool = False

    def value_of(self, run: Run) -> float | None:
        """Return what a run took; None if that was not measured."""
        value = getattr(run, self.name)
        if value is None:
            return None
        return float(value) * (run.candidates / 60 if self.is_for_a_candidate_minute else 1)


def _candidates(candidates: float, speaking_share: float, mean_age_s: float) -> float:
    return candidates


def _speakers(candidates: float, speaking_share: float, mean_age_s: float) -> float:
    return candidates * speaking_share


def _hot_s(candidates: float, speaking_share: float, mean_age_s: float) -> float:
    return candidates * speaking_share * min(60.0, mean_age_s)  # older segments lie in object storage


RESOURCES = (
    Resource("web_cpu_s", "web", "cores", _speakers, is_for_a_candidate_minute=True),
    Resource("storing_cpu_s", "storing", "cores", _speakers, is_for_a_candidate_minute=True),
    Resource("postgres_cpu_s", "PostgreSQL", "cores", _speakers, is_for_a_candidate_minute=True),
    Resource("redis_cpu_s", "Redis", "cores", _speakers, is_for_a_candidate_minute=True),
    Resource("redis_peak_mb", "Redis at its peak", "MB", _hot_s),
    Resource("web_memory_mb", "memory of web", "MB", _candidates),
    Resource("database_connections", "connections to PostgreSQL", "", _candidates),
)


def line_of(resource: Resource, runs: Sequence[Run], figures: Figures) -> Line:
    """Return how a resource grows, fitted to runs.

    Raises:
        BadInput: fewer than two runs measured it.
    """
    age_s, numbers, values = figures.answer.mean_age_s, [], []
    for run in runs:
        if (value := resource.value_of(run)) is not None:
            numbers.append(resource.number(run.candidates, run.speaking_share, age_s))
            values.append(value)
    if len(values) < 2:
        raise BadInput(f"runs: {resource.name} is needed of two runs or more")
    return fitted(numbers, values)


def taken(figures: Figures, interview: Interview, candidates: int) -> dict[str, float]:
    """Return what so many candidates at once take, by the resource's name."""
    at = (candidates, interview.speaking_share, interview.answer.mean_age_s)
    return {
        resource.name: line_of(resource, figures.runs, figures).at(resource.number(*at))
        for resource in RESOURCES
    }


def storing_s_a_second(figures: Figures) -> float:
    """Return the CPU seconds that storing a second of an answer takes."""
    measured = [(run, run.storing_cpu_s) for run in figures.runs if run.storing_cpu_s is not None]
    seconds = sum(cpu_s * run.candidates for run, cpu_s in measured)
    return seconds / sum(run.speaking_share * run.candidates * 60 for run, _ in measured)
