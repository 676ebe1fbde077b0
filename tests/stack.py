"""The whole system for the flow, browser and fault tests and the benchmarks.

It runs two web processes on one socket, the workers and cron, as the demo does, with its own database and,
unless one is given, its own Redis.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg

from interview_platform.demo import __main__, embedded, programs
from interview_platform.demo.supervisor import Instance, Supervisor
from tests.prepared import fresh_database, manage, migrated, static_files


class Stack:
    """The running system, from `with` to its end.

    `directory` is for the system's files; `env` overrides its settings (DATABASE_URL names the server on
    which a fresh database is made); `log` holds every line of output. A killed process restarts by itself
    after half a second, as in the demo. At the end the log must hold no secret (`leaked`); the tests add to
    `secrets` what they are given.

    listener: the listening socket of the web processes, instead of one of the stack's own.
    database: the URL of a migrated database to work on, instead of a fresh one.
    adapt: turns the demo's programs into those of this stack.
    """

    def __init__(
        self,
        directory: Path,
        *,
        env: Mapping[str, str] | None = None,
        listener: socket.socket | None = None,
        database: str = "",
        adapt: Callable[[list[__main__.Program]], Sequence[__main__.Program]] = list,
    ) -> None:
        self.directory = directory
        self.log = directory / "log"
        self.secrets: set[str] = set()
        self.url = ""
        self.owner_url = database
        self.env: dict[str, str] = dict(env or {})
        self._listener = listener
        self._database = database
        self._adapt = adapt
        self._closing = contextlib.ExitStack()
        self._supervisor: Supervisor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        try:
            leaked = [] if kind else self.leaked()
        finally:
            self._kill_all()
            self._closing.close()
        if leaked:
            raise AssertionError("secrets in the log:\n" + "\n".join(leaked))

    def leaked(self) -> list[str]:
        """Return the lines of the log with a link or key handed out, a session, or a store's password."""
        facts = self.__dict__.get("demo", {})
        secrets = self.secrets | {facts[name] for name in facts if name.endswith(("password", "api_key"))}
        urls = (self.owner_url, self.env["DATABASE_URL"], self.env["REDIS_URL"])
        secrets |= {urlsplit(url).password or "" for url in urls}
        secrets |= {self.env["SECRET_KEY"]}
        secrets |= {key for (key,) in self.rows("SELECT session_key FROM accounts_browsersession")}
        secrets |= {link_token(facts["invitation_url"])} if facts else set()
        known = re.compile("|".join(re.escape(secret) for secret in secrets if secret))
        return [line for line in self.log.read_text(errors="replace").splitlines() if known.search(line)]

    def _kill_all(self) -> None:
        """End every process at once: to drain them in order takes seconds, and nothing is left to be kept."""
        for instance in self._supervisor.instances if self._supervisor else ():
            if pid := instance.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _start(self) -> None:
        enter = self._closing.enter_context
        listener = self._listener or enter(__main__.listening_socket("127.0.0.1", 0))
        host, port = listener.getsockname()
        self.url = f"http://{host}:{port}"
        server = self._database or self.env.pop("DATABASE_URL", os.environ["DATABASE_URL"])
        shared = Path(os.environ.get("TESTS_DIRECTORY", self.directory.parent))
        self.env = {
            **os.environ,
            **programs.settings(self.directory, port),
            "BASE_URL": self.url,
            "ALLOWED_HOSTS": f"{host},localhost",
            "DATABASE_URL": self._database or embedded.as_application(self._made(server, shared)),
            "REDIS_URL": self.env.get("REDIS_URL") or enter(embedded.redis(self.directory / "redis")),
            "STATIC_ROOT": static_files(shared),
            "DJANGO_SETTINGS_MODULE": "interview_platform.settings",
            "HF_HUB_OFFLINE": "1",
            "LOG_LEVEL": "INFO",
            **self.env,
        }
        adapted = self._adapt(programs.programs(listener, self.env))
        self._supervisor, self._loop = enter(supervised(adapted, self.log))

    def _made(self, server: str, shared: Path) -> str:
        """Make a database; the platform works on it with the rights of the application's role."""
        self.owner_url = self._closing.enter_context(_migrated_copy(server, shared))
        return self.owner_url

    def wait_ready(self, *, within_s: float = 300.0) -> None:
        """Return once /ready answers 200.

        Raises:
            TimeoutError: it is not ready in time; the message has the missing parts and the end of the log.
        """
        deadline = time.monotonic() + within_s
        address, port = self.url.removeprefix("http://").split(":")
        while missing := __main__.missing_parts(int(port), address, address=address):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready after {within_s:g} s: {missing}\n{self.last_lines()}")
            time.sleep(0.1)

    def pids(self, name: str) -> list[int]:
        """Return the process ids of a program that run: of web, speech, tts, audio, default or cron."""
        return [instance.pid for instance in self._instances(name) if instance.pid]

    def kill(self, name: str, index: int = 0, signal_number: int = signal.SIGKILL) -> int:
        """Send a signal to one process (also SIGSTOP and SIGCONT) and return its process id.

        Raises:
            LookupError: that instance is not running.
        """
        pid = self._instances(name)[index].pid
        if pid is None:
            raise LookupError(f"{name}.{index + 1} is not running")
        os.kill(pid, signal_number)
        return pid

    def restart(self, name: str) -> None:
        """Replace the processes of a program with `Supervisor.restart`, and wait until all are new."""
        assert self._supervisor
        assert self._loop
        asyncio.run_coroutine_threadsafe(self._supervisor.restart(name), self._loop).result()

    def wait_restarted(self, name: str, old_pid: int, *, within_s: float = 120.0) -> None:
        """Return once as many processes of `name` run as should, and `old_pid` is not among them.

        Raises:
            TimeoutError: they do not run in time.
        """
        deadline = time.monotonic() + within_s
        while old_pid in (pids := self.pids(name)) or len(pids) < len(self._instances(name)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} did not start again within {within_s:g} s\n{self.last_lines()}")
            time.sleep(0.02)

    def manage(self, *arguments: str) -> str:
        """Run a management command on this system and return its output.

        Raises:
            RuntimeError: it failed.
        """
        return manage(arguments, self.env)

    def load_demo(self) -> dict[str, Any]:
        """Load the demo's organisation and return its facts: api_key, invitation_url, username, ..."""
        summary = self.directory / "demo.json"
        self.manage("load_demo", "--base-url", self.url, "--write", str(summary))
        return json.loads(summary.read_text())

    @cached_property
    def demo(self) -> dict[str, Any]:
        """The facts of the demo's organisation, which is loaded once: a process of Django takes seconds."""
        return self.load_demo()

    def invite(self, *, language: str = "en", candidate_email: str = "") -> str:
        """Return the link of one more candidate of the demo's interview in that language."""
        path = f"/api/v1/interviews/{self.demo['interviews'][language]}/invitations"
        candidate = {"candidate_name": "Alex Demo", "candidate_email": candidate_email}
        link = self._ask(path, api_key=self.demo["api_key"], body=candidate)["url"]
        self.secrets.add(link_token(link))
        return link

    def invitation_of(self, link: str) -> dict[str, Any]:
        """Return what the API tells of a recent link. The database does not hold links as they are."""
        newest = self.get("/api/v1/invitations?limit=100", api_key=self.demo["api_key"])["items"]
        return next(invitation for invitation in newest if invitation["url"] == link)

    def get(self, path: str, *, api_key: str = "") -> Any:
        """Return the JSON that a GET of `path` answers."""
        return self._ask(path, api_key=api_key)

    def _ask(self, path: str, *, api_key: str, body: dict[str, Any] | None = None) -> Any:
        """GET, or POST where there is a body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        if api_key:
            request.add_header("Authorization", f"Bearer {api_key}")
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            refused.add_note(refused.read().decode(errors="replace"))
            raise

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of an SQL query in this system's database."""
        with psycopg.connect(self.owner_url) as connection:
            return connection.execute(query, parameters).fetchall()

    def last_lines(self, count: int = 60) -> str:
        """Return the end of the log, for an error message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def _instances(self, name: str) -> list[Instance]:
        assert self._supervisor
        return self._supervisor.of(name)


def _migrated_copy(server: str, shared: Path) -> contextlib.AbstractContextManager[str]:
    return fresh_database(server, template=migrated(server, shared))


def small(programs: Sequence[__main__.Program]) -> list[__main__.Program]:
    """The demo's programs with one process each, but for the web: for tests with few candidates.

    The web processes write their access log, as the documented command does.
    """
    return [
        replace(program, argv=(*program.argv[:-1], "--access-log", "-", program.argv[-1]))
        if program.name == "web"
        else replace(program, count=1)
        for program in programs
    ]


def link_token(link: str) -> str:
    """Return the secret part of a candidate's link."""
    return link.rstrip("/").rpartition("/")[2]


@contextlib.contextmanager
def supervised(
    programs: Sequence[__main__.Program], log: Path
) -> Iterator[tuple[Supervisor, asyncio.AbstractEventLoop]]:
    """Run the supervisor in a thread with its own event loop; its programs end with the thread."""
    with log.open("a", buffering=1) as lines:
        has_started, started, failures = threading.Event(), [], []

        async def serve() -> None:
            stop_asked = asyncio.Event()
            write = lambda name, line: print(f"{name} {line}", file=lines)  # noqa: E731
            async with Supervisor(programs, write=write) as supervisor:
                started.append((supervisor, asyncio.get_running_loop(), stop_asked))
                has_started.set()
                await stop_asked.wait()

        def run() -> None:
            try:
                asyncio.run(serve())
            except OSError as error:
                failures.append(error)
            finally:
                has_started.set()

        thread = threading.Thread(target=run, name="supervisor", daemon=True)
        thread.start()
        has_started.wait()
        if failures:
            raise failures[0]
        supervisor, loop, stop_asked = started[0]
        try:
            yield supervisor, loop
        finally:
            loop.call_soon_threadsafe(stop_asked.set)
            thread.join()
