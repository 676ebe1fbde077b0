"""The jobs of each pool that come of what candidates say."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from interview_platform.planning.candidates import Spoken
from interview_platform.planning.demand import Plan
from interview_platform.planning.figures import Engine


class Job(NamedTuple):
    """is_awaited: a candidate waits for its end. Other jobs take time, and their waits are not counted."""

    at_s: float
    service_s: float
    is_awaited: bool = True


def of_recognition(
    spoken: Sequence[Spoken], engine: Engine, *, window_s: float, is_recognised_ahead: bool
) -> list[Job]:
    """Return a job for the end of each answer, and one for each complete window before, if these go ahead.

    All jobs wait in one line. The platform takes the ends of answers first; but a text is complete only
    when the windows before its end are recognised too, and in one line they always are.
    """
    jobs = []
    for each in spoken:
        ahead = int(each.length_s // window_s) if is_recognised_ahead else 0
        rest_s = each.length_s - ahead * window_s
        jobs += [
            Job(each.began_at_s + (n + 1) * window_s, window_s * engine.real_time_factor, is_awaited=False)
            for n in range(ahead)
        ]
        jobs.append(Job(each.ended_at_s, rest_s * engine.real_time_factor))
    return sorted(jobs)


def of_synthesis(spoken: Sequence[Spoken], engine: Engine, plan: Plan) -> list[Job]:
    """Return a job for each question asked after the beginning whose text is not in the cache."""
    dice = random.Random(plan.seed)
    service_s = plan.interview.question_s * engine.real_time_factor
    return sorted(
        Job(each.asked_at_s, service_s * dice.uniform(0.7, 1.3))
        for each in spoken
        if each.asked_at_s and dice.random() < plan.interview.unspoken_share
    )


def of_storing(spoken: Sequence[Spoken], *, cpu_s_a_second: float) -> list[Job]:
    """Return a job for each answer: FLAC is made, written, and read back."""
    return sorted(Job(each.ended_at_s, each.length_s * cpu_s_a_second) for each in spoken)
