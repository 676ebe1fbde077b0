from uuid import UUID

import pytest

from interviews.queries.moments import clock, moment_url

SESSION = UUID(int=1)
PAGE = f"/admin/interviews/session/{SESSION}/change/"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ((), PAGE),
        ((2,), f"{PAGE}?answer=2"),
        ((2, 12.53), f"{PAGE}?answer=2&t=12.5"),
        ((2, 12), f"{PAGE}?answer=2&t=12"),
        ((2, 0.0), f"{PAGE}?answer=2&t=0"),
        ((2, 360_000.04), f"{PAGE}?answer=2&t=360000"),
    ],
)
def test_moment_has_one_address(moment, expected):
    assert moment_url(SESSION, *moment) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(0, "0:00"), (67.9, "1:07"), (3_600, "60:00")])
def test_clock_counts_whole_seconds(seconds, expected):
    assert clock(seconds) == expected
