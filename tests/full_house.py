"""A system without a free place; the candidates inside are only leases in Redis."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from interviews.admission.places import PLACE_LEASE_S
from tests.stack import Stack

PLACES = "interviews:admission:places"
LIMIT = 2000  # the default of CANDIDATES_AT_ONCE


@contextmanager
def every_place_taken(stack: Stack) -> Iterator[None]:
    """Fill all places and renew their leases, as a web process would."""
    taken = [f"somebody-{n}" for n in range(LIMIT)]
    is_over, is_taken = threading.Event(), threading.Event()

    def stay() -> None:
        with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
            while not is_over.is_set():
                client.zadd(PLACES, dict.fromkeys(taken, (time.time() + PLACE_LEASE_S) * 1000))
                is_taken.set()
                is_over.wait(PLACE_LEASE_S / 4)
            client.zrem(PLACES, *taken)

    staying = threading.Thread(target=stay, daemon=True)
    staying.start()
    assert is_taken.wait(120)
    try:
        yield
    finally:
        is_over.set()
        staying.join()
