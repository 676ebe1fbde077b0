"""Pauses between tries. Each is twice as long as the one before."""

MOST_DOUBLINGS = 32
"""After that every pause is the longest one. (A float cannot hold 2 to the power of some thousand.)"""


def pause_s(failures: int, *, first_s: float, longest_s: float) -> float:
    """Return the pause after so many failures in a row: `first_s`, doubled each time, at most `longest_s`."""
    doublings = min(max(failures - 1, 0), MOST_DOUBLINGS)
    return min(first_s * 2**doublings, longest_s)
