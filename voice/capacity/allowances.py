"""Counts of what somebody may do so often in a window of time, kept in Redis and shared by all processes.

    REQUESTS = Policy("requests", limit=100, window_s=60)
    allowance = await count(REQUESTS, "key:7")      # or `count_in_thread`
    if allowance.is_exceeded: …                     # allowance.reset_s says for how long

While Redis is away, each process counts by itself.
"""

import threading
import time
from dataclasses import dataclass

import redis

from voice.infra import lua, redis_clients

MAX_OWN_COUNTS = 10_000
"""Counts that a process keeps by itself; above it those whose window has ended are dropped, then all."""

_COUNT = lua.load(__file__, "request_count")
_GIVE_BACK = lua.load(__file__, "request_give_back")


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `limit` in a window of `window_s` seconds, which begins with the first."""

    name: str
    limit: int
    window_s: int

    def key(self, subject: str) -> str:
        """Return the name of the count of `subject` in Redis."""
        return f"voice:{self.name}:{subject}"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a policy is used.

    used: including what was counted just now; reset_s: seconds until the next window.
    """

    policy: Policy
    used: int
    reset_s: int

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.policy.limit

    @property
    def is_first_refusal(self) -> bool:
        """Whether the one counted just now is the first above the limit in this window: log this one only."""
        return self.used == self.policy.limit + 1

    @property
    def remaining(self) -> int:
        return max(0, self.policy.limit - self.used)

    @property
    def headers(self) -> dict[str, str]:
        """Return the header fields of the current draft, and the three older ones that many clients know.

        Source: draft-ietf-httpapi-ratelimit-headers-11; the older ones are of version 03.
        """
        name, limit = self.policy.name, self.policy.limit
        return {
            "RateLimit-Policy": f'"{name}";q={limit};w={self.policy.window_s}',
            "RateLimit": f'"{name}";r={self.remaining};t={self.reset_s}',
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


async def count(policy: Policy, subject: str) -> Allowance:
    """Count once more for `subject`, and return what is left."""
    key = policy.key(subject)
    try:
        used, reset_s = await _COUNT.run_async(redis_clients.async_client(), [key], [policy.window_s])
    except redis.RedisError:
        used, reset_s = _own.count(key, policy.window_s)
    return Allowance(policy, used, reset_s)


def count_in_thread(policy: Policy, subject: str) -> Allowance:
    """As `count`, in a thread."""
    key = policy.key(subject)
    try:
        used, reset_s = _COUNT.run(redis_clients.sync_client(), [key], [policy.window_s])
    except redis.RedisError:
        used, reset_s = _own.count(key, policy.window_s)
    return Allowance(policy, used, reset_s)


async def give_back(policy: Policy, subject: str) -> None:
    """Take back one that was counted for `subject`."""
    key = policy.key(subject)
    _own.give_back(key)
    try:
        await _GIVE_BACK.run_async(redis_clients.async_client(), [key])
    except redis.RedisError:
        return  # it was counted in this process


class OwnCounts:
    """The counts of one process. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}  # used, and when the window ends

    def count(self, key: str, window_s: int) -> tuple[int, int]:
        """Return how many there were in this window, and the seconds until the next one."""
        now_s = time.monotonic()
        with self._lock:
            if len(self._counts) >= MAX_OWN_COUNTS:
                self._drop_old(now_s)
            used, ends_at = self._counts.get(key, (0, 0.0))
            if ends_at <= now_s:
                used, ends_at = 0, now_s + window_s
            self._counts[key] = used + 1, ends_at
        return used + 1, max(1, round(ends_at - now_s))

    def give_back(self, key: str) -> None:
        """Take back one."""
        with self._lock:
            used, ends_at = self._counts.get(key, (0, 0.0))
            if used:
                self._counts[key] = used - 1, ends_at

    def _drop_old(self, now_s: float) -> None:
        self._counts = {key: count for key, count in self._counts.items() if count[1] > now_s}
        if len(self._counts) >= MAX_OWN_COUNTS:
            self._counts.clear()


_own = OwnCounts()
