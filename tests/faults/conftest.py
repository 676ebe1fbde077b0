"""The system under fault injection, and the table of results."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from tests.faults.scale import FULL, SHORT, Scale
from tests.faults.servers import ObjectStorage, Server
from tests.stack import Stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/faults/"):
            item.add_marker(pytest.mark.faults)
            item.add_marker(pytest.mark.timeout(1200))


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

    @contextlib.contextmanager
    def redis_at_its_limit(self) -> Iterator[None]:
        """Let Redis refuse every write that needs memory while the block runs."""
        self._client.config_set("maxmemory", self._client.info("memory")["used_memory"] // 2)
        try:
            yield
        finally:
            self._client.config_set("maxmemory", 0)

    def forget_sign_ins(self) -> None:
        """Let this machine sign in again."""
        for key in self._client.scan_iter("voice:sign-in*"):
            self._client.delete(key)

    @cached_property
    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis.url)


class Harm:
    """A fault during a crowd's interviews, and its row of the table."""

    def __init__(self, crowd: Crowd, files: Files, test: pytest.Item) -> None:
        self._crowd, self._files, self._test = crowd, files, test

    def survived(self, fault: str, *, recover_s: float | None, also: str = "") -> None:
        """Let all candidates finish, and check that nothing is lost, duplicated or stuck.

        also: what the table tells besides.
        """
        self._crowd.finish()
        lost, duplicates = self._crowd.losses(self._files), self._crowd.duplicates(self._files)
        count, seen = self._crowd.count, "; ".join(filter(None, (self._crowd.seen, also)))
        row = table.Row(fault, count, seen, len(lost), len(duplicates), recover_s)
        table.add(self._test, row)
        assert lost == []
        assert duplicates == []
        assert self._crowd.stuck() == []


@pytest.fixture(
    scope="session",
    params=[pytest.param(SHORT, id="short"), pytest.param(FULL, id="proof", marks=pytest.mark.proof)],
)
def scale(request: pytest.FixtureRequest) -> Scale:
    return request.param


@pytest.fixture(scope="session")
def models(whisper_model: Path, piper_voices: Path) -> dict[str, str]:
    """Settings for models that cost almost nothing."""
    return {"WHISPER_MODEL": str(whisper_model), "PIPER_VOICES_DIR": str(piper_voices), "DRAIN_S": "1"}


@pytest.fixture(scope="session")
def whole_system(run_directory: Path, models: dict[str, str], scale: Scale) -> Iterator[System]:
    """Started once; every fault leaves it as it found it."""
    raise_open_files()
    directory = run_directory / f"faults-{scale.candidates}"
    directory.mkdir()
    directory.chmod(0o711)  # as root, PostgreSQL runs as another user
    with contextlib.ExitStack() as running:
        enter = running.enter_context
        postgresql = enter(Server(embedded.postgresql, directory / "postgresql"))
        redis = enter(Server(embedded.redis, directory / "redis"))
        storage = enter(ObjectStorage(directory / "storage"))
        stores = {**storage.env, "DATABASE_URL": postgresql.url, "REDIS_URL": redis.url}
        env = {**models, **stores, "IDLE_S": str(scale.idle_s)}
        apart: list[Program] = []
        stack = enter(
            Stack(directory / "stack", env=env, adapt=lambda programs: split(scale.adapted(programs), apart))
        )
        workers = enter(Pool(apart, stack.log))
        yield System(stack, workers, postgresql, redis, storage)


def split(programs: list[Program], apart: list[Program]) -> list[Program]:
    """The web processes, with an IDLE_S; all other programs go to `apart`."""
    apart += [program for program in programs if program.name != "web"]
    return [_with_idle_s(program) for program in programs if program.name == "web"]


def _with_idle_s(web: Program) -> Program:
    module = "interview_platform.server"
    assert module in web.argv
    return replace(web, argv=["tests.faults.web" if word == module else word for word in web.argv])


@pytest.fixture
def system(whole_system: System) -> System:
    whole_system.stack.wait_ready()
    return whole_system


@pytest.fixture
def crowd(system: System, scale: Scale, request: pytest.FixtureRequest) -> Iterator[Crowd]:
    """Candidates who all speak; the parameter is the haste of the first."""
    with Crowd(system.stack, count=scale.candidates, haste=getattr(request, "param", 1.0)) as crowd:
        yield crowd


@pytest.fixture
def harm(crowd: Crowd, system: System, request: pytest.FixtureRequest) -> Harm:
    return Harm(crowd, system.storage, request.node)
