"""A worker's overhead: an empty job in the warm worker and in RQ's SimpleWorker, in one run."""

import itertools
import logging
import os
import signal
import statistics
import threading
import time

import pytest
import redis
from rq import Queue, SimpleWorker

from voice.workers.worker import VoiceWorker

pytestmark = pytest.mark.benchmarks

ROUNDS, JOBS_A_ROUND, PICKUPS = 8, 100, 200
TARGET_RATIO = 1.2

started: list[float] = []
has_started = threading.Semaphore(0)


def empty() -> None:
    started.append(time.perf_counter())
    has_started.release()


@pytest.fixture
def client(clean_redis, settings):
    settings.JOBS = [f"{__name__}.{empty.__name__}"]
    logging.getLogger("rq.worker").setLevel(logging.WARNING)  # for both workers, as the warm worker sets it
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield clean_redis
    for number, handler in handlers.items():  # RQ's worker has replaced them
        signal.signal(number, handler)


def own_client() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"])


def enqueue(client, count: int) -> None:
    queue = Queue("bench", connection=client)
    for _ in range(count):
        queue.enqueue_call(empty, result_ttl=0)


def gaps_ms(run) -> list[float]:
    """Return the milliseconds between the starts of consecutive jobs, all queued before."""
    started.clear()
    run()
    return [1000 * (later - earlier) for earlier, later in itertools.pairwise(started)]


def run_simple_worker() -> None:
    worker = SimpleWorker(["bench"], connection=own_client())
    worker.work(burst=True, logging_level="WARNING")
    for _ in range(JOBS_A_ROUND):
        has_started.acquire()


def run_warm_worker() -> None:
    worker = VoiceWorker(["bench"], connection=own_client())
    worker.start()
    for _ in range(JOBS_A_ROUND):
        assert has_started.acquire(timeout=30)
    assert worker.stop()


def test_empty_job(client):
    theirs, ours = [], []
    for run, gaps in [(run_simple_worker, theirs), (run_warm_worker, ours)] * ROUNDS:
        enqueue(client, JOBS_A_ROUND)
        gaps += gaps_ms(run)

    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"\nempty job, {len(ours)} each, interleaved (target: ratio at most {TARGET_RATIO})")
    print_row("  rq.SimpleWorker", theirs)
    print_row("  warm worker", ours)
    print(f"  ratio of medians {ratio:.2f}, of means {statistics.mean(ours) / statistics.mean(theirs):.2f}")


def test_pick_up(client):
    queue = Queue("bench", connection=client)
    worker = VoiceWorker(["bench"], connection=own_client())
    worker.start()
    latencies = []
    for _ in range(PICKUPS):
        asked = time.perf_counter()
        started.clear()
        queue.enqueue_call(empty, result_ttl=0)
        assert has_started.acquire(timeout=30)
        latencies.append(1000 * (started[0] - asked))
    assert worker.stop()

    print_row(f"\nfrom enqueue() to the job's first line, {PICKUPS} times", latencies)


def print_row(name: str, values_ms: list[float]) -> None:
    p95 = statistics.quantiles(values_ms, n=20)[-1]
    print(f"{name}: median {statistics.median(values_ms):.2f} ms, p95 {p95:.2f} ms")
