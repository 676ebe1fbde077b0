"""Resource use of the system's processes, Redis and PostgreSQL, sampled every second in a thread."""

import contextlib
import json
import os
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import psutil
import psycopg
import redis
from rq.utils import str_to_date

from tests.benchmarks.load.measures import Figures, slope
from tests.stack import Stack

LOOK_EVERY_S = 1.0
SEARCH_EVERY, MEMORY_EVERY = 5, 5
"""In samples: a search lists all processes of the machine, and memory reads all pages of a process."""
QUEUES = (
    *("stt", "stt-ahead", "stt-partial", "stt-later", "stt-call", "stt-call-partial", "stt-batch"),
    *("tts", "tts-call", "audio", "cron", "default"),
)
PROGRAMS = {
    "interview_platform.server": "web",
    "daphne": "web",
    "stt": "speech",
    "tts": "tts",
    "default": "default",
    "rqcron": "cron",
    "redis-server": "redis",
    "redis-aof-rewrite": "redis",
    "postgres": "postgresql",
    "neighbour": "neighbour",
}
"""By the first word of the command line in this table."""
CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass
class Look:
    """One sample of the system."""

    at_s: float
    connected: int
    speaking: int
    waiting: int
    redis_bytes: int = 0
    database_connections: int = 0
    memory_bytes: dict[str, int] = field(default_factory=dict)
    """By program, with shared memory counted once (PSS); empty in samples without memory."""
    open_files: dict[str, int] = field(default_factory=dict)
    retreat_level: int = 0
    queue_lengths: dict[str, int] = field(default_factory=dict)
    oldest_waits_s: dict[str, float] = field(default_factory=dict)


def program_of(command: list[str]) -> str:
    """Return the program name of a process."""
    words = " ".join(command).replace(":", " ").split()
    known = [PROGRAMS[name] for word in words if (name := word.rpartition("/")[2]) in PROGRAMS]
    return known[0] if known else "other"


class CpuSeconds:
    """CPU time of this process and its descendants by program, with ended ones up to the last sample."""

    def __init__(self) -> None:
        self.by_program: Counter[str] = Counter()
        self._me = psutil.Process(os.getpid())
        self._known: dict[psutil.Process, tuple[str, float]] = {self._me: ("driver", 0.0)}

    def search(self) -> None:
        """Find new processes."""
        for process in self._me.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process not in self._known:
                    self._known[process] = (program_of(process.cmdline()), 0.0)

    def look(self) -> None:
        """Add the CPU time since the last sample."""
        for process, (name, before) in list(self._known.items()):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                del self._known[process]
                continue
            used = times.user + times.system
            self.by_program[name] += used - before
            self._known[process] = (name, used)

    def of(self, program: str) -> list[psutil.Process]:
        """Return its processes in the last sample."""
        return [process for process, (name, _) in list(self._known.items()) if name == program]


class _Mark(NamedTuple):
    at_s: float
    cpu: Counter[str]
    frames: int
    acks: int


class Watch:
    """Sample from `with` to its end. Without a stack (for a remote system), only the driver is sampled."""

    def __init__(self, figures: Figures, stack: Stack | None = None) -> None:
        self.figures, self.stack = figures, stack
        self.looks: list[Look] = []
        self.cpu = CpuSeconds()
        self._marks: list[_Mark] = []
        self._began = time.monotonic()
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._look_on, name="watch", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._thread.join()

    def mark(self) -> None:
        """Mark the start or the end of the measured time."""
        with self._lock:
            self.cpu.search()
            self.cpu.look()
            at_s = time.monotonic() - self._began
            figures = self.figures
            self._marks.append(_Mark(at_s, self.cpu.by_program.copy(), figures.frames, len(figures.ack_ms)))

    @property
    def measured(self) -> list[Look]:
        """The samples between both marks."""
        start, end = self._marks
        return [look for look in self.looks if start.at_s <= look.at_s <= end.at_s]

    @property
    def measured_s(self) -> float:
        start, end = self._marks
        return end.at_s - start.at_s

    @property
    def measured_frames(self) -> int:
        start, end = self._marks
        return end.frames - start.frames

    @property
    def measured_ack_ms(self) -> dict[str, float]:
        """Latencies of acks received between both marks."""
        start, end = self._marks
        return self.figures.ack_ms.summary(start.acks, end.acks)

    @property
    def cpu_seconds(self) -> dict[str, float]:
        """CPU seconds between both marks, by program."""
        start, end = self._marks
        return {name: end.cpu[name] - start.cpu[name] for name in sorted(end.cpu)}

    @property
    def web_kb_per_connection(self) -> float | None:
        """Memory growth (PSS) of the web processes for each connection, from a third of them to all."""
        looks = [look for look in self.looks if look.memory_bytes.get("web")]
        if not looks:
            return None
        most = max(looks, key=lambda look: look.connected)
        few = next(look for look in looks if 3 * look.connected >= most.connected)
        if most.connected - few.connected < 10:
            return None
        grown_bytes = most.memory_bytes["web"] - few.memory_bytes["web"]
        return grown_bytes / (most.connected - few.connected) / 1000

    @property
    def slopes_an_hour(self) -> dict[str, float]:
        """Return the growth of each program's memory (MB) and open files, Redis and PostgreSQL connections.

        Over the last three quarters of the measured time, after everything has warmed up.
        """
        looks = self.measured[len(self.measured) // 4 :]
        full = [look for look in looks if look.memory_bytes]
        names = sorted({name for look in full for name in look.memory_bytes})
        series = {
            f"memory of {name}, MB": [(x.at_s, x.memory_bytes.get(name, 0) / 1e6) for x in full]
            for name in names
        }
        series |= {
            f"open files of {name}": [(x.at_s, x.open_files.get(name, 0)) for x in full] for name in names
        }
        series["Redis, MB"] = [(look.at_s, look.redis_bytes / 1e6) for look in looks]
        series["database connections"] = [(look.at_s, look.database_connections) for look in looks]
        return {name: round(3600 * slope(points), 2) for name, points in series.items()}

    def timeline(self) -> list[dict]:
        return [asdict(look) for look in self.looks]

    def _look_on(self) -> None:
        with contextlib.ExitStack() as closing:
            stores = closing.enter_context(_Stores(self.stack)) if self.stack else None
            while not self._end.wait(LOOK_EVERY_S):
                self._look(stores)

    def _look(self, stores: "_Stores | None") -> None:
        figures = self.figures
        look = Look(time.monotonic() - self._began, figures.connected, figures.speaking, figures.waiting)
        with self._lock:
            if len(self.looks) % SEARCH_EVERY == 0:
                self.cpu.search()
            self.cpu.look()
        if stores:
            stores.fill(look)
        if len(self.looks) % MEMORY_EVERY == 0:
            for name in self.cpu.by_program:
                processes = self.cpu.of(name)
                look.memory_bytes[name] = sum(map(_pss_bytes, processes))
                look.open_files[name] = sum(map(_open_files, processes))
        self.looks.append(look)


def _pss_bytes(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.memory_full_info().pss
    return 0


def _open_files(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.num_fds()
    return 0


class _Stores:
    """Redis and PostgreSQL of a stack; an unreachable one gives zeros."""

    def __init__(self, stack: Stack) -> None:
        self._redis = redis.Redis.from_url(stack.env["REDIS_URL"])
        self._database_url = stack.owner_url
        self._database: psycopg.Connection | None = None

    def __enter__(self) -> "_Stores":
        return self

    def __exit__(self, *exception: object) -> None:
        self._redis.close()
        if self._database:
            self._database.close()

    def fill(self, look: Look) -> None:
        """Read the current values of both."""
        with contextlib.suppress(redis.RedisError):
            look.redis_bytes = self._redis.info("memory")["used_memory"]
            look.queue_lengths = {name: self._redis.llen(f"rq:queue:{name}") for name in QUEUES}
            look.oldest_waits_s = {name: self._wait_s(name) for name in QUEUES}
            look.retreat_level = self._retreat_level()
        try:
            look.database_connections = self._connections()
        except psycopg.Error:
            self._database = None

    def _wait_s(self, queue: str) -> float:
        first = self._redis.lindex(f"rq:queue:{queue}", 0)
        since = first and self._redis.hget(f"rq:job:{first.decode()}", "enqueued_at")
        queued_at = str_to_date(since) if since else None
        return round(max(0.0, time.time() - queued_at.timestamp()), 1) if queued_at else 0.0

    def _retreat_level(self) -> int:
        """Return the highest load shedding level: each process reports the times of its active steps."""
        told = self._redis.hgetall("voice:retreat").values()
        return max((len(json.loads(value.partition(b" ")[2])) for value in told), default=0)

    def _connections(self) -> int:
        if self._database is None or self._database.closed:
            self._database = psycopg.connect(self._database_url, autocommit=True)
        row = self._database.execute(CONNECTIONS).fetchone()
        return row[0] if row else 0
