"""The system under fault injection, and the table of results."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
import redis

from interview_platform.demo import embedded
from interview_platform.demo.__main__ import Program
from tests.benchmarks.load.own_stack import raise_open_files
from tests.faults import table
from tests.faults.crowd import Crowd, Files
from tests.faults.pool import Pool
from tests.faults.servers import ObjectStorage, Server
from tests.stack import Stack

_rows: list[table.Row] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.timeout(600))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _rows:
        terminalreporter.section("faults")
        for line in table.lines(_rows):
            terminalreporter.write_line(line)
        table.keep(_rows)


@dataclass
class System:
    """A whole system: the web processes under one supervisor, all other programs in `workers`."""

    stack: Stack
    workers: Pool
    postgresql: Server
    redis: Server
    storage: ObjectStorage

    def waiting(self, queue: str) -> int:
        """Jobs of a queue that no worker has started yet."""
        return self._client.llen(f"rq:queue:{queue}")

    def running(self, queue: str) -> int:
        """Jobs of a queue that are running."""
        return self._client.zcard(f"rq:wip:{queue}")

    @cached_property
    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis.url)


class Harm:
    """A fault during a crowd's interviews, and its row of the table."""

    def __init__(self, crowd: Crowd, files: Files) -> None:
        self._crowd, self._files = crowd, files

    def survived(self, fault: str, *, recover_s: float | None) -> None:
        """Let all candidates finish, and check that nothing is lost, duplicated or stuck."""
        self._crowd.finish()
        lost, duplicates = self._crowd.losses(self._files), self._crowd.duplicates(self._files)
        count, seen = self._crowd.count, self._crowd.seen
        _rows.append(table.Row(fault, count, seen, len(lost), len(duplicates), recover_s))
        assert lost == []
        assert duplicates == []
        assert self._crowd.stuck() == []


@pytest.fixture(scope="session")
def models(whisper_model: Path, piper_voices: Path) -> dict[str, str]:
    """Settings for models that cost almost nothing."""
    return {"WHISPER_MODEL": str(whisper_model), "PIPER_VOICES_DIR": str(piper_voices), "DRAIN_S": "1"}


@pytest.fixture(scope="session")
def whole_system(run_directory: Path, models: dict[str, str]) -> Iterator[System]:
    """A system that is started once; every fault restores its state."""
    raise_open_files()
    directory = run_directory / "faults"
    directory.mkdir()
    directory.chmod(0o711)  # as root, PostgreSQL runs as another user
    with contextlib.ExitStack() as running:
        enter = running.enter_context
        postgresql = enter(Server(embedded.postgresql, directory / "postgresql"))
        redis = enter(Server(embedded.redis, directory / "redis"))
        storage = enter(ObjectStorage(directory / "storage"))
        env = {**models, **storage.env, "DATABASE_URL": postgresql.url, "REDIS_URL": redis.url}
        apart: list[Program] = []
        stack = enter(Stack(directory / "stack", env=env, adapt=lambda programs: split(programs, apart)))
        workers = enter(Pool(apart, stack.log))
        yield System(stack, workers, postgresql, redis, storage)


def split(programs: list[Program], apart: list[Program]) -> list[Program]:
    """Return the web processes, and put all other programs into `apart`."""
    apart += [program for program in programs if program.name != "web"]
    return [program for program in programs if program.name == "web"]


@pytest.fixture
def system(whole_system: System) -> System:
    whole_system.stack.wait_ready()
    return whole_system


@pytest.fixture
def crowd(system: System, request: pytest.FixtureRequest) -> Iterator[Crowd]:
    """Candidates who all speak; the parameter is the speed of the first one."""
    with Crowd(system.stack, haste=getattr(request, "param", 1.0)) as crowd:
        yield crowd


@pytest.fixture
def harm(crowd: Crowd, system: System) -> Harm:
    return Harm(crowd, system.storage)
