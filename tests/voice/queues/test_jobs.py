"""Facts about a queue's workers, from RQ's real keys."""

import pytest
from rq.registry import StartedJobRegistry
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from voice.queues import jobs


@pytest.mark.parametrize(
    ("slots", "running", "waiting", "expected"),
    [
        (1, 0, 0, True),
        (1, 1, 0, False),
        (2, 0, 0, True),
        (2, 1, 0, False),
        (16, 7, 0, True),
        (16, 8, 0, False),
        (16, 0, 1, False),
        (0, 0, 0, False),
    ],
)
async def test_workers_are_spare_while_most_do_nothing(clean_redis, slots, running, waiting, expected):
    for number in range(slots):
        clean_redis.sadd(WORKERS_BY_QUEUE_KEY % "stt", f"rq:worker:{number}")
    for number in range(running):
        clean_redis.zadd(StartedJobRegistry.key_template.format("stt"), {f"job{number}:execution": 1})
    for number in range(waiting):
        clean_redis.rpush(jobs.key("stt"), f"job{number}")

    assert await jobs.has_spare_workers("stt") is expected
