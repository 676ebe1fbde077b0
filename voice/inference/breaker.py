"""A circuit breaker for each engine, shared by all processes.

    attempt = breaker.admit()             # EngineOpen: not called for a while
    try:
        …
    except TransientFailure as error:     # of the last try: retries belong inside
        attempt.failed(error)
    else:
        attempt.succeeded()

Closed, every call passes. `BREAKER_FAILURES` failures in a row open it, and for `BREAKER_OPEN_S` no call
reaches the engine. Then it is half-open: one call at a time passes as a probe. `BREAKER_SUCCESSES` good
probes close it, a bad one opens it again. Source: M. Nygard, "Release It!", chapter "Stability Patterns".

In Redis each breaker has a hash with its state and two keys that expire: no call passes while `open` exists,
and no other call passes while `probe` exists. So only Redis counts the seconds. While Redis is unreachable
all calls pass.
"""

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal
from uuid import uuid4

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from voice.errors import EngineUnavailable, VoiceError
from voice.inference import reports
from voice.infra import lua, redis_clients
from voice.types import Direction

StateName = Literal["closed", "half_open", "open"]

CLOSED_FOR_S = 1.0
"""After the answer "closed" a process asks again only after this many seconds."""
FORGOTTEN_AFTER_S = 24 * 3600
"""After this many seconds without an event a breaker is closed and has no failures."""
PROBED_RETRY_S = 1.0
REASON_LENGTH = 300
REDIS_TIMEOUT_S = 1.0
"""The longest wait of an engine for its breaker's Redis."""


class EngineOpen(EngineUnavailable):
    """The engine failed too often and is not called for `retry_after_s` more seconds."""

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The state of a breaker at one moment.

    failures: in a row; retry_after_s: how long an open breaker stays open, else 0; reason: the last failure.
    """

    direction: Direction
    engine: str
    name: StateName
    failures: int = 0
    successes: int = 0
    retry_after_s: float = 0.0
    reason: str = ""


_ADMIT = lua.load(__file__, "breaker_admit")
_SUCCEED = lua.load(__file__, "breaker_succeed")
_FAIL = lua.load(__file__, "breaker_fail")
_RELEASE = lua.load(__file__, "breaker_release")


class Breaker:
    """The breaker of one engine, as one process sees it. Thread-safe."""

    def __init__(self, direction: Direction, engine: str, *, connection: redis.Redis | None = None) -> None:
        self.direction, self.engine = direction, engine
        self._connection = connection
        self._keys = keys_of(direction, engine)
        self._closed_until = self._open_until = 0.0  # in seconds of the monotonic clock
        self._failures = 0  # Redis's count when it last answered "closed"

    def admit(self) -> "Attempt":
        """Ask to call the engine: at most one round trip, none for `CLOSED_FOR_S` after the answer "closed".

        Raises:
            EngineOpen: not now; the message says why and for how long.
        """
        if time.monotonic() < self._closed_until:
            return Attempt(self)
        token = uuid4().hex
        try:
            answer = _ADMIT.run(self._client, self._keys, [token, _probe_lease_ms()])
        except redis.RedisError:
            answer = [b"closed", 0, 0, b""]
        name, failures, left_ms, reason = answer
        last = f"the last failure: {reason.decode()}"
        if name == b"open":
            seconds = max(1, round(left_ms / 1000))
            self._open_until = time.monotonic() + left_ms / 1000
            raise EngineOpen(f"left alone for {seconds} s after failures; {last}", retry_after_s=seconds)
        if name == b"probed":
            raise EngineOpen(f"tried again by another call right now; {last}", retry_after_s=PROBED_RETRY_S)
        if name == b"half_open":
            return Attempt(self, token)
        self._failures = failures
        self._closed_until = time.monotonic() + CLOSED_FOR_S
        return Attempt(self)

    @property
    def is_open(self) -> bool:
        """Whether this process was told, when it last asked, that no call passes yet."""
        return time.monotonic() < self._open_until

    def reset(self) -> None:
        """Close it and forget its failures. Raises redis.RedisError."""
        self._client.delete(*self._keys)
        self._closed_until = self._open_until = 0.0

    def state(self) -> BreakerState:
        """Return the current state. Raises redis.RedisError."""
        return states([(self.direction, self.engine)], self._client)[0]

    @property
    def _client(self) -> redis.Redis:
        return self._connection or _default_connection()

    def _succeeded(self, token: str) -> None:
        if not token and not self._failures:
            return  # nothing to reset: a success normally costs no round trip
        self._failures = 0
        self._tell(_SUCCEED, token, settings.BREAKER_SUCCESSES)

    def _failed(self, token: str, reason: str) -> None:
        self._closed_until = 0.0
        self._failures += 1  # the next success must reset it
        open_ms = _ms(settings.BREAKER_OPEN_S)
        self._tell(_FAIL, token, settings.BREAKER_FAILURES, open_ms, FORGOTTEN_AFTER_S, reason)

    def _released(self, token: str) -> None:
        if token:
            self._tell(_RELEASE, token)

    def _tell(self, script: lua.LuaScript, *values: str | int) -> None:
        with contextlib.suppress(redis.RedisError):
            script.run(self._client, self._keys, values)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One admitted call, with all its retries; report its outcome once."""

    _breaker: Breaker
    _token: str = ""  # of the probe, if it is one

    def succeeded(self) -> None:
        """Report that the engine did its work."""
        self._breaker._succeeded(self._token)  # noqa: SLF001

    def failed(self, error: BaseException) -> None:
        """Report that the engine failed."""
        reason = str(error) if isinstance(error, VoiceError) else type(error).__name__
        self._breaker._failed(self._token, reason[:REASON_LENGTH])  # noqa: SLF001

    def released(self) -> None:
        """Report an outcome that says nothing about the engine: an unusable text, or a caller who left."""
        self._breaker._released(self._token)  # noqa: SLF001


def states(
    engines: Iterable[tuple[Direction, str]], connection: redis.Redis | None = None
) -> list[BreakerState]:
    """Return the current states of these engines' breakers, in one round trip. Raises redis.RedisError."""
    engines = list(engines)
    with (connection or _default_connection()).pipeline(transaction=False) as pipe:
        for engine in engines:
            keys = keys_of(*engine)
            pipe.hgetall(keys[0])
            pipe.pttl(keys[1])
        answers = pipe.execute()
    return [
        _state(*engine, kept, left_ms)
        for engine, kept, left_ms in zip(engines, answers[::2], answers[1::2], strict=True)
    ]


def configured() -> list[BreakerState]:
    """Return the current states of all configured engines' breakers, and of those of living pools.

    Raises redis.RedisError.
    """
    engines: list[tuple[Direction, str]] = [("recognition", name) for name in settings.VOICE["STT_ENGINES"]]
    engines += [("synthesis", name) for name in settings.VOICE["TTS_ENGINES"]]
    of_pools = {(report.direction, report.engine) for report in reports.current() if "@" in report.engine}
    return states([*engines, *sorted(of_pools)])


def keys_of(direction: Direction, engine: str) -> list[str]:
    """Return the keys of the state, of the open period, and of the running probe."""
    name = f"voice:breaker:{direction}:{engine}"
    return [name, f"{name}:open", f"{name}:probe"]


def _state(direction: Direction, engine: str, kept: dict[bytes, bytes], left_ms: int) -> BreakerState:
    name: StateName = "closed"
    if kept.get(b"is_open") == b"1":
        name = "open" if left_ms > 0 else "half_open"
    return BreakerState(
        direction,
        engine,
        name,
        failures=int(kept.get(b"failures", 0)),
        successes=int(kept.get(b"successes", 0)),
        retry_after_s=left_ms / 1000 if name == "open" else 0.0,
        reason=kept.get(b"reason", b"").decode(),
    )


def _probe_lease_ms() -> int:
    """Return the longest time of a call; a probe whose process died blocks the next one for this long."""
    return _ms(settings.JOB_DEADLINE_S)


def _ms(seconds: float) -> int:
    """Return whole milliseconds, at least 1: a key in Redis cannot expire after 0."""
    return max(1, int(seconds * 1000))


@cache
def _default_connection() -> redis.Redis:
    return redis_clients.own_client(
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1),  # for a connection that died while idle
    )
