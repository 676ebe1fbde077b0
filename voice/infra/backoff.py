"""Pauses between tries that double: what failed for long is asked seldom."""

MOST_DOUBLINGS = 32
"""Beyond that every pause is the longest; 2 to the power of some thousand is no float."""


def pause_s(failures: int, *, first_s: float, longest_s: float) -> float:
    """Seconds after so many failures in a row: `first_s`, doubled each time, `longest_s` at most."""
    doublings = min(max(failures - 1, 0), MOST_DOUBLINGS)
    return min(first_s * 2**doublings, longest_s)
