"""Candidates are drawn: when each is asked a question, begins to speak, and ends."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from interview_platform.planning.demand import Interview

LEAST_SILENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A question that was asked, and its answer. Seconds after the beginning."""

    asked_at_s: float
    began_at_s: float
    ended_at_s: float

    @property
    def length_s(self) -> float:
        return self.ended_at_s - self.began_at_s


def present(
    interview: Interview, candidates: int, *, until_s: float, arrivals_a_second: float | None, seed: int
) -> list[Spoken]:
    """Return what candidates say who are there all the time, one interview after the other.

    The share of those who speak is held as `make load` holds it: some begin as if in the middle of an
    answer, and each pause makes up for what was spoken too much or too little. No answer begins after
    the end.

    arrivals_a_second: None, if all are there at the beginning.
    """
    dice = random.Random(seed)
    spoken: list[Spoken] = []
    for n in range(candidates):
        came_at_s = n / arrivals_a_second if arrivals_a_second else 0.0
        spoken += _turns(interview, came_at_s, until_s, dice)
    return sorted(spoken, key=lambda each: each.began_at_s)


def _turns(interview: Interview, came_at_s: float, until_s: float, dice: random.Random) -> Iterator[Spoken]:
    share, now_s, spoken_s = interview.speaking_share, came_at_s, 0.0
    while True:
        length_s = _length(interview, dice)
        if not spoken_s and dice.random() < share:
            pause_s, length_s = LEAST_SILENCE_S, max(interview.answer.shortest_s, dice.random() * length_s)
        else:
            silent_s = now_s - came_at_s - spoken_s
            wanted_s = (spoken_s + length_s / 2) * (1 - share) / share
            pause_s = max(LEAST_SILENCE_S, (wanted_s - silent_s) * dice.uniform(0.8, 1.2))
        if now_s + pause_s > until_s:
            return
        yield Spoken(now_s, now_s + pause_s, now_s + pause_s + length_s)
        now_s, spoken_s = now_s + pause_s + length_s, spoken_s + length_s


def over_a_day(interview: Interview, a_second: tuple[float, ...], *, seed: int) -> list[Spoken]:
    """Return what candidates say who come by a Poisson process with another rate in each hour, and leave."""
    dice = random.Random(seed)
    spoken: list[Spoken] = []
    for hour, rate in enumerate(a_second):
        at_s, ends_at_s = hour * 3600.0, (hour + 1) * 3600.0
        while rate and (at_s := at_s + dice.expovariate(rate)) < ends_at_s:
            spoken += _one_interview(interview, at_s, dice)
    return sorted(spoken, key=lambda each: each.began_at_s)


def _one_interview(interview: Interview, at_s: float, dice: random.Random) -> Iterator[Spoken]:
    pause_for_a_second = (1 - interview.speaking_share) / interview.speaking_share
    for _ in range(interview.questions):
        pause_s = interview.answer.mean_s * pause_for_a_second * dice.uniform(0.8, 1.2)
        began_at_s = at_s + max(LEAST_SILENCE_S, pause_s)
        ended_at_s = began_at_s + _length(interview, dice)
        yield Spoken(at_s, began_at_s, ended_at_s)
        at_s = ended_at_s


def _length(interview: Interview, dice: random.Random) -> float:
    return dice.triangular(interview.answer.shortest_s, interview.answer.longest_s, interview.answer.usual_s)
