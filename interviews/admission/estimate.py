"""Estimated waiting times of candidates in the waiting room, from the interviews that ended."""

import math

from interviews.admission import places
from interviews.admission.places import Stays
from interviews.models import InterviewVersion
from interviews.models.question import expected_minutes

EXPECTED_WEIGHT = 20
"""Weight of the interview's configured length, as a number of measured stays."""


def estimate_s(place: int, *, inside: int, stays: Stays, expected_s: float) -> int:
    """Return how long the candidate at this place in the line will wait, in s.

    The candidates who are `inside` free their places one after the other, all within one mean stay.
    The result is rounded up: to ten seconds, and above one minute to full minutes.
    Source: J. Little, "A Proof for the Queuing Formula L = λW", Operations Research 9 (1961).
    """
    weight = stays.count + EXPECTED_WEIGHT
    mean_s = (stays.count * stays.mean_s + EXPECTED_WEIGHT * expected_s) / weight
    seconds = place * max(mean_s / max(1, inside), 1 / places.LET_IN_PER_S)
    step_s = 10 if seconds <= 60 else 60
    return step_s * math.ceil(seconds / step_s)


def expected_s(definition: InterviewVersion) -> float:
    """Return how long the interview takes, for waiting estimates."""
    return expected_minutes(definition.asked) * 60.0
