"""PgBouncer in transaction mode, between the platform and PostgreSQL."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from interview_platform.demo.embedded import ACCOUNT
from interview_platform.demo.processes import end_with_parent
from tests.faults.waiting import wait_for

SETTINGS = {
    "pool_mode": "transaction",
    "auth_type": "scram-sha-256",
    "max_client_conn": 500,
    "default_pool_size": 30,
    "server_connect_timeout": 3,
    "tcp_user_timeout": 10_000,  # ms; a host that was cut off would else hold its connections for minutes
    "ignore_startup_parameters": "extra_float_digits",
}


def problem() -> str:
    """Return why this machine cannot run PgBouncer, or ""."""
    return "" if _executable() else "pgbouncer (Debian package) is not here"


@contextlib.contextmanager
def running(url: str, directory: Path, *, host: str, port: int) -> Iterator[str]:
    """Run PgBouncer before the PostgreSQL of `url` and yield its own URL."""
    behind = urlsplit(url)
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)  # as root, it runs as another user
    users = directory / "users"
    users.write_text(f'"{behind.username}" "{behind.password}"\n')
    listens = {"listen_addr": host, "listen_port": port, "unix_socket_dir": "", "auth_file": users}
    lines = [f"{name} = {value}" for name, value in {**SETTINGS, **listens}.items()]
    databases = ["[databases]", f"* = host={behind.hostname} port={behind.port}", "[pgbouncer]"]
    (directory / "pgbouncer.ini").write_text("\n".join([*databases, *lines]) + "\n")
    account = ("--user", ACCOUNT) if os.geteuid() == 0 else ()
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [_executable(), "--quiet", *account, directory / "pgbouncer.ini"],
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
    try:
        wait_for(lambda: b"process up" in (directory / "log").read_bytes() or process.poll(), "pgbouncer")
        assert process.poll() is None, (directory / "log").read_text()
        yield f"postgres://{behind.username}:{behind.password}@{host}:{port}"
    finally:
        process.kill()
        process.wait(60)


def before(url: str) -> "partial[contextlib.AbstractContextManager[str]]":
    """Return what `servers.Server` runs."""
    return partial(running, url)


def _executable() -> str:
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or ""
