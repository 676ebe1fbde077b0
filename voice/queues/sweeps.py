"""When the sweeper (`voice.workers.sweeper`) was last done, for whoever watches that it runs."""

import redis

KEY = "voice:swept"


def note(connection: redis.Redis) -> None:
    """Note that a sweep has just ended, by the clock of Redis. Raises redis.RedisError."""
    seconds, _microseconds = connection.time()
    connection.set(KEY, seconds)


def last_s(connection: redis.Redis) -> float:
    """Return when a sweep last ended, in seconds since 1970; 0 for never. Raises redis.RedisError."""
    found = connection.get(KEY)
    return float(found) if isinstance(found, bytes) else 0.0
