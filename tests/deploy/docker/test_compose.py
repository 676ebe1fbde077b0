"""`docker compose up` from nothing: interviews are held on it, and survive what an operator does to it."""

import time

import pytest

from tests.deploy.docker.composed import Bucket, Composed
from tests.faults.crowd import Crowd

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1500)]


def test_interview_by_script_ends_and_recordings_are_equal(composed: Composed):
    with Crowd(composed, count=2) as crowd:
        crowd.finish()

    assert_nothing_lost(crowd, composed)


@pytest.mark.parametrize("ending", [("stop",), ("down",)], ids=lambda words: words[0])
def test_system_that_ends_in_mid_answer_comes_back_and_loses_nothing(composed: Composed, ending):
    with Crowd(composed, count=2) as crowd:
        composed.compose(*ending)
        composed.up()
        crowd.wait_recovered(since=time.monotonic())
        crowd.finish()

    assert crowd.seen != "nobody was disconnected"
    assert_nothing_lost(crowd, composed)


def assert_nothing_lost(crowd: Crowd, composed: Composed) -> None:
    files = Bucket(composed)
    assert len(crowd.takes) == 3 * crowd.count
    assert crowd.losses(files) == []
    assert crowd.duplicates(files) == []
    assert crowd.stuck() == []
    print(crowd.seen)
