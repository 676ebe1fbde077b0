"""A job carries the request that led to it."""

import pytest

from voice.infra import correlation
from voice.queues import jobs, turns

JOB, ID = "voice.workers.storing.store", "store-1"
REQUEST = "0f" * 16


def noted(client, request_id):
    """Queue the job in the course of that request, and take it; return the request that it notes."""
    with correlation.serving(request_id):
        jobs.enqueue_now("default", JOB, "1", job_id=ID)
    return turns.take(["default"], "rq:worker:w", "w", client).note("request_id")


def test_job_notes_the_request(clean_redis):
    assert noted(clean_redis, REQUEST) == REQUEST


def test_job_of_the_clock_has_none(clean_redis):
    assert noted(clean_redis, "") == ""


def test_job_that_the_clock_queues_again_keeps_its_request(clean_redis):
    noted(clean_redis, REQUEST)
    assert noted(clean_redis, "") == REQUEST


@pytest.mark.parametrize("request_id", ["f" * 16])
def test_job_that_another_request_asks_for_goes_over_to_it(clean_redis, request_id):
    noted(clean_redis, REQUEST)
    assert noted(clean_redis, request_id) == request_id
