"""`make demo`: the whole platform on this machine, under one supervisor, until Ctrl-C.

This process stays small: everything that needs Django runs in a child. Its files are under var/.
"""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from interview_platform.demo import embedded
from interview_platform.demo.processes import end_with_parent
from interview_platform.demo.programs import ROOT, programs, settings
from interview_platform.demo.supervisor import Program, Supervisor

OWNER = "DATABASE_DIRECT_URL"
"""Names the owner of the tables, for the migration alone."""
READY_WITHIN_S = 180.0
ASK_EVERY_S = 0.25


def main() -> int:
    """Run the demo; return the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the event loop takes over
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        run(os.environ)
    except KeyboardInterrupt:
        return 130
    except (embedded.EmbeddedServerError, DemoError) as error:
        print(f"The demo cannot start. {error}", file=sys.stderr)
        return 1
    return 0


class DemoError(RuntimeError):
    """The demo cannot continue; the message says what to do."""


def run(environ: Mapping[str, str]) -> None:
    """Start everything, print the addresses, and return after a signal."""
    host, port = environ.get("HOST", "127.0.0.1"), int(environ.get("PORT", "8000"))
    var = Path(environ.get("VAR_DIR", str(ROOT / "var")))
    var.mkdir(parents=True, exist_ok=True)
    summary = var / "demo.json"
    if summary.exists():  # restored when everything works; its passwords are kept
        summary.replace(unfinished(summary))
    with listening_socket(host, port) as listener, servers(var, environ) as urls:
        port = listener.getsockname()[1]
        env = {**settings(var, port), **urls, **environ}
        prepare(env, unfinished(summary))
        env.pop(OWNER, None)
        asyncio.run(serve(programs(listener, env), port, env, summary))


@contextlib.contextmanager
def listening_socket(host: str, port: int) -> Iterator[socket.socket]:
    """Open the socket that every web process accepts from.

    Raises:
        DemoError: the port is taken.
    """
    try:
        listener = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise DemoError(
            f"Port {port} is not free ({error.strerror}). Choose another: make demo PORT=8001"
        ) from None
    with listener:
        yield listener


@contextlib.contextmanager
def servers(var: Path, environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Start PostgreSQL and Redis, unless the environment names them, and yield their settings."""
    with contextlib.ExitStack() as running:
        urls = {}
        if "DATABASE_URL" not in environ:
            directory = var / "postgresql"
            if (elsewhere := embedded.reachable(directory)) != directory.resolve():
                print(f"PostgreSQL does not run as root and cannot reach {directory}; it uses {elsewhere}")
            say("starting PostgreSQL")
            urls[OWNER] = running.enter_context(embedded.postgresql(directory))
            urls["DATABASE_URL"] = embedded.as_application(urls[OWNER])
        if "REDIS_URL" not in environ:
            say("starting Redis")
            urls["REDIS_URL"] = running.enter_context(embedded.redis(var / "redis"))
        yield urls
        say("stopping the servers")


def prepare(env: Mapping[str, str], summary: Path) -> None:
    """Migrate, collect static files, load the demo's content and fetch the models, in one child process.

    Raises:
        DemoError: one of them failed.
    """
    command = [sys.executable, "-c", PREPARE, env["BASE_URL"], str(summary), str(is_static_old(env))]
    if status := subprocess.run(
        command,
        env=dict(env),
        cwd=ROOT,
        check=False,
        start_new_session=True,  # Ctrl-C reaches this process only, which then kills the child
        preexec_fn=end_with_parent(signal.SIGKILL),
    ).returncode:
        raise DemoError(f"The preparation ended with status {status}; what it said stands above.")
    static_stamp(env).touch()


# One process for all of it: loading Django takes longer than most of them.
PREPARE = """
import os, socket, sys, django
from pathlib import Path
from django.core.management import call_command
base_url, summary, is_static_old = sys.argv[1:]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "interview_platform.settings")
django.setup()
print("migrating the database", flush=True)
call_command("migrate", verbosity=0, interactive=False)
if is_static_old == "True":
    print("collecting static files", flush=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
print("loading the demo's interviews", flush=True)
call_command("load_demo", "--base-url", base_url, "--write", summary)
call_command("fetch_models")

from interview_platform.demo import speech
speech.add_to(Path(summary))

from voice.inference import reports
from voice.infra import redis_clients
# The workers of a demo that was killed would count as warm for half a minute more.
mine = [report for report in reports.current() if report.host == socket.gethostname()]
reports.withdraw(mine, redis_clients.sync_client())
"""


def unfinished(summary: Path) -> Path:
    """Return the summary's path until everything is ready."""
    return summary.with_suffix(".unfinished")


def is_static_old(env: Mapping[str, str]) -> bool:
    """Return whether a package or one of our own static files changed since they were collected."""
    stamp = static_stamp(env)
    if not stamp.exists():
        return True
    ours = [file for app in ("accounts", "voice", "interviews") for file in (ROOT / app).glob("static/**/*")]
    settings = (ROOT / "interview_platform" / "settings").glob("*.py")
    sources = [ROOT / "requirements.lock", *settings, *ours]
    return max(source.stat().st_mtime for source in sources) > stamp.stat().st_mtime


def static_stamp(env: Mapping[str, str]) -> Path:
    return Path(env["VAR_DIR"]) / "static.collected"


async def serve(what: Sequence[Program], port: int, env: Mapping[str, str], summary: Path) -> None:
    """Keep the programs running until a signal; once all are ready, `announce(summary)` and make candidates.

    SIGUSR1 replaces the web processes, one after the other.

    Raises:
        DemoError: they are not ready in time.
    """
    stop_asked, restart_asked = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, restart_asked.set)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop_asked.set)
    say("starting the web processes and the workers")
    async with Supervisor(what) as running:
        restarting = asyncio.create_task(restart_web(running, restart_asked))
        stop = asyncio.create_task(stop_asked.wait())
        ready = asyncio.create_task(wait_until_ready(port, urlsplit(env["BASE_URL"]).netloc))
        await asyncio.wait([stop, ready], return_when=asyncio.FIRST_COMPLETED)
        if not stop_asked.is_set():
            await ready
            announce(summary)
            filling = fill(env)
            await stop
            filling.terminate()
            filling.wait()
        ready.cancel()
        restarting.cancel()
        say("stopping")


async def restart_web(running: Supervisor, asked: asyncio.Event) -> None:
    """Replace the web processes on each request."""
    while True:
        await asked.wait()
        asked.clear()
        say("replacing the web processes, one after the other")
        try:
            await running.restart("web")
        except TimeoutError:
            say("a new web process was not ready in time; those that were not replaced go on")
        else:
            say("all web processes are new")


async def wait_until_ready(port: int, host: str, *, within_s: float = READY_WITHIN_S) -> None:
    """Return once /ready?all replies 200. Print what it waits for.

    Raises:
        DemoError: it is not ready within `within_s`.
    """
    deadline = time.monotonic() + within_s
    said = ""
    while missing := await asyncio.to_thread(missing_parts, port, host):
        if time.monotonic() > deadline:
            raise DemoError(f"Not ready after {within_s:g} s: {missing}.")
        if missing != said:
            say(f"waiting for {missing}")
            said = missing
        await asyncio.sleep(ASK_EVERY_S)


def missing_parts(port: int, host: str, *, address: str = "127.0.0.1") -> str:
    """Request /ready?all with the host name `host`. Return the parts that are not ready, or ""."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", "/ready?all", headers={"Host": host})
        answer = connection.getresponse()
        if answer.status == 200:
            return ""
        parts = json.loads(answer.read()).get("parts", {})
        return "; ".join(f"{name} ({state})" for name, state in parts.items() if state != "ok")
    except ValueError:
        return f"a web process (it answered {answer.status})"
    except (OSError, http.client.HTTPException):
        return "a web process"
    finally:
        connection.close()


def announce(summary: Path) -> None:
    """Move `summary` to its final path and print it: the addresses and how to sign in."""
    unfinished(summary).replace(summary)
    facts = {name: value for name, value in json.loads(summary.read_text()).items() if isinstance(value, str)}
    width = max(map(len, facts))
    lines = "\n".join(f"    {name.replace('_', ' '):<{width}}  {value}" for name, value in facts.items())
    print(f"\n  Ready.\n\n{lines}\n\n  Ctrl-C stops everything.\n", flush=True)


def fill(env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start to make the demo's candidates, DEMO_CANDIDATES of them at most. It ends with this process."""
    most = env.get("DEMO_CANDIDATES", "40")
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "fill_demo", "--most", most],
        env=dict(env),
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C reaches this process only, which then ends the child
        preexec_fn=end_with_parent(signal.SIGKILL),
    )


def say(what: str) -> None:
    """Print one line of progress."""
    print(what, flush=True)


if __name__ == "__main__":
    sys.exit(main())
