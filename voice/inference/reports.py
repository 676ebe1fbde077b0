"""The engines of all processes, reported to Redis for the admin and for /ready.

One hash, one field for each engine of each process. Workers write theirs with every heartbeat; an entry that
was not refreshed for `STALE_S` belongs to a process that has ended.
"""

import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import redis

from voice.infra import redis_clients
from voice.text.languages import primary_language
from voice.types import Direction, EngineModel

KEY = "voice:engines"
LANGUAGES_KEY = "voice:engines:languages"
"""Apart from the reports, which processes of the last release read too."""
ORIGINS_KEY = "voice:engines:origins"
"""Apart from the reports as well, for the same reason."""
DETECTED = "*"
"""Among an engine's languages: it finds out by itself which one is spoken."""
STALE_S = 30
HASH_TTL_S = 2 * STALE_S

State = Literal["loading", "ready", "standby", "unavailable", "stuck"]


@dataclass(frozen=True, slots=True)
class EngineReport:
    """One engine in one process.

    languages: primary languages that it recognises, and `DETECTED`; empty for synthesis.
    state: `standby` engines are loaded when those before them fail; `stuck` ones ended their process.
    origins: the models that it reads, each with `model`, `source`, `licence` and `sha256`
    (`voice.engines.origins`).
    at: when it was last reported, in seconds of Unix time by Redis's clock; 0 before that.
    """

    direction: Direction
    engine: str
    model: str
    device: str
    state: State
    last_error: str = ""
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    at: float = 0.0
    languages: Sequence[str] = ()
    origins: Sequence[Mapping[str, str]] = ()

    @property
    def name(self) -> str:
        """The field in the hash: unique to the engine in this process."""
        return f"{self.direction}:{self.engine}:{self.host}:{self.pid}"


def publish(reports: Iterable[EngineReport], connection: redis.Redis) -> None:
    """Write the reports of this process."""
    reports = list(reports)
    if not reports:
        return
    at = _redis_time(connection)
    with connection.pipeline(transaction=False) as pipe:
        for report in reports:
            fields = asdict(replace(report, at=at))
            pipe.hset(LANGUAGES_KEY, report.name, " ".join(fields.pop("languages")))
            pipe.hset(ORIGINS_KEY, report.name, json.dumps(fields.pop("origins")))
            pipe.hset(KEY, report.name, json.dumps(fields))
        for key in (KEY, LANGUAGES_KEY, ORIGINS_KEY):
            pipe.expire(key, HASH_TTL_S)
        pipe.execute()


def withdraw(reports: Iterable[EngineReport], connection: redis.Redis) -> None:
    """Remove the reports of this process, because it ends."""
    if names := [report.name for report in reports]:
        for key in (KEY, LANGUAGES_KEY, ORIGINS_KEY):
            connection.hdel(key, *names)


def current(connection: redis.Redis | None = None) -> list[EngineReport]:
    """Return the engines of all live processes, by direction, host, process, and in order of the chain."""
    connection = connection or _default_connection()
    reports = [EngineReport(**json.loads(value)) for value in connection.hgetall(KEY).values()]
    oldest = _redis_time(connection) - STALE_S
    if stale := [report.name for report in reports if report.at < oldest]:
        connection.hdel(KEY, *stale)
    living = [report for report in reports if report.at >= oldest]
    return sorted(living, key=lambda report: (report.direction, report.host, report.pid))


def with_origins(
    reports: Iterable[EngineReport], connection: redis.Redis | None = None
) -> list[EngineReport]:
    """Return the reports with the origins of their models. Raises redis.RedisError."""
    reports = list(reports)
    if not reports:
        return []
    found: list[Any] = (connection or _default_connection()).hmget(ORIGINS_KEY, [r.name for r in reports])
    return [
        replace(report, origins=tuple(json.loads(line or "[]")))
        for report, line in zip(reports, found, strict=True)
    ]


def ready(direction: str, connection: redis.Redis | None = None) -> bool:
    """Whether any process has an engine for this direction in memory."""
    return any(report.direction == direction and report.state == "ready" for report in current(connection))


def languages_heard(connection: redis.Redis | None = None) -> frozenset[str] | None:
    """Return the languages that some live process recognises; None where no process tells.

    Raises redis.RedisError.
    """
    connection = connection or _default_connection()
    serving = [
        report.name
        for report in current(connection)
        if report.direction == "recognition" and report.state in ("ready", "standby", "loading")
    ]
    told: list[Any] = [line for line in connection.hmget(LANGUAGES_KEY, serving) if line] if serving else []
    return frozenset(code for line in told for code in line.decode().split()) if told else None


def models_for(language: str, connection: redis.Redis | None = None) -> list[EngineModel]:
    """Return the engines of living processes that recognise the language, each model once.

    Raises redis.RedisError.
    """
    connection = connection or _default_connection()
    usable = [
        report
        for report in current(connection)
        if report.direction == "recognition" and report.state in ("ready", "standby")
    ]
    names = [report.name for report in usable]
    told: list[Any] = connection.hmget(LANGUAGES_KEY, names) if names else []
    return list(
        dict.fromkeys(
            EngineModel(report.engine.partition("@")[0], report.model)
            for report, line in zip(usable, told, strict=True)
            if is_heard(language, frozenset((line or b"").decode().split()))
        )
    )


def is_heard(language: str, heard: frozenset[str]) -> bool:
    """Whether the language, or "" for one that is to be detected, is among those of `languages_heard`."""
    return (primary_language(language) if language else DETECTED) in heard


def _redis_time(connection: redis.Redis) -> float:
    seconds, microseconds = connection.time()
    return seconds + microseconds / 1e6


def _default_connection() -> redis.Redis:

    return redis_clients.sync_client()
