"""The fewest pods with which 95 of 100 jobs are done in time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from interview_platform.planning.inputs import BadInput
from interview_platform.planning.jobs import Job
from interview_platform.planning.simulation import Rule, played


@dataclass(frozen=True, slots=True)
class Sized:
    """pods of the sample; utilisation of their slots."""

    pods: int
    wait_s: float
    utilisation: float


def fewest_pods(
    jobs: Sequence[Job], *, slots: int, target_s: float, target: str, span_s: float, utilisation: float = 1.0
) -> Sized:
    """Return the fewest pods whose p95 is within the target.

    target: its name in the plan. span_s: the time over which jobs come. utilisation: how busy slots may be.

    Raises:
        BadInput: the jobs take longer than the target, however many pods there are.
    """
    busy_s = sum(job.service_s for job in jobs)
    fewest = max(1, math.ceil(busy_s / span_s / slots / utilisation))
    most = max(fewest, math.ceil(len(jobs) / slots))
    _check_reachable(jobs, target_s, target)
    low, high = fewest, fewest
    while _wait(jobs, high, slots) > target_s and high < most:
        low, high = high + 1, high * 2
    while low < high:
        middle = (low + high) // 2
        if _wait(jobs, middle, slots) <= target_s:
            high = middle
        else:
            low = middle + 1
    return Sized(high, _wait(jobs, high, slots), busy_s / span_s / slots / high)


def _wait(jobs: Sequence[Job], pods: int, slots: int) -> float:
    return played(jobs, Rule(pods, pods, slots=slots)).wait_s()


def _check_reachable(jobs: Sequence[Job], target_s: float, target: str) -> None:
    alone = sorted(job.service_s for job in jobs if job.is_awaited)
    if alone and (least_s := alone[int(0.95 * (len(alone) - 1))]) > target_s:
        raise BadInput(
            f"targets.{target}: {target_s:g} s cannot be met: a job alone takes {least_s:.2g} s (p95)"
        )
