"""PostgreSQL, Redis and object storage that can be stopped, killed, emptied and restarted."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import boto3
import psutil

from interview_platform.demo import embedded
from interview_platform.demo.processes import end_with_parent
from tests.faults.network import Namespace, Network, here
from tests.faults.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """PostgreSQL or Redis at one address, running from `with` to its end, except during faults.

    run: starts it on the files in `directory`, with a host and a port, and stops it in the normal way.
    inside: the network namespace it runs in.
    """

    def __init__(
        self,
        run: Callable[..., AbstractContextManager[str]],
        directory: Path,
        *,
        inside: Namespace = here,
    ) -> None:
        self.directory = directory
        self.url = ""
        self._run = run
        self._inside = inside
        self._port = embedded.free_port()
        self._running = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it at the same address, with the content of its directory."""
        with self._inside.entered():
            running = self._run(self.directory, host=self._inside.address, port=self._port)
            self.url = self._running.enter_context(running)

    def stop(self) -> None:
        """Stop it normally: Redis writes its file, PostgreSQL ends its sessions (fast shutdown)."""
        self._running.close()

    def kill(self) -> None:
        """Kill it and its children with SIGKILL."""
        first = next(process for process in psutil.process_iter() if self._is_mine(process))
        doomed = [first, *first.children(recursive=True)]
        for process in doomed:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.stop()
        psutil.wait_procs(doomed, timeout=60)

    def empty(self) -> None:
        """Delete its files except its password. Only while it is stopped, and only for Redis."""
        for file in self.directory.iterdir():
            if file.name not in ("password", "lock"):
                shutil.rmtree(file) if file.is_dir() else file.unlink()

    def _is_mine(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            is_child = process.ppid() == os.getpid()
            return is_child and Path(process.cwd()).is_relative_to(embedded.reachable(self.directory))
        return False


def accept_from(net: Network, directory: Path) -> None:
    """Make the database in `directory` accept the network's other hosts."""
    with embedded.postgresql(directory):
        pass
    with (embedded.reachable(directory) / "cluster" / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {net.range} scram-sha-256\n")


class ObjectStorage:
    """An S3 server whose requests can be made to fail or to hang (`tests.faults.object_storage`)."""

    BUCKET = "recordings"
    ACCESS = {"S3_ACCESS_KEY_ID": "tests", "S3_SECRET_ACCESS_KEY": "tests", "S3_REGION": "us-east-1"}

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = embedded.free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        """The platform's settings for it."""
        return {**self.ACCESS, "S3_BUCKET": self.BUCKET, "S3_ENDPOINT_URL": self._url}

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def _mood(self) -> Path:
        return self._directory / "mood"

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True)
        self._mood.write_text("well")
        with (self._directory / "log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.object_storage", str(self._port), str(self._mood)],
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=end_with_parent(signal.SIGKILL),
            )
        try:
            wait_for(lambda: self._process.poll() is not None or self._is_listening(), "object storage")
            self.client().create_bucket(Bucket=self.BUCKET)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    @contextlib.contextmanager
    def ill(self, mood: str) -> Iterator[None]:
        """Reply to requests with status 500 (`failing`) or not at all (`hanging`) while the block runs."""
        self._mood.write_text(mood)
        try:
            yield
        finally:
            self._mood.write_text("well")

    def names(self, directory: str) -> list[str]:
        """Return the objects below `directory`."""
        listed = self.client().list_objects_v2(Bucket=self.BUCKET, Prefix=f"{directory}/")
        return [found["Key"] for found in listed.get("Contents", [])]

    def read(self, name: str) -> bytes:
        """Return the content of an object."""
        return self.client().get_object(Bucket=self.BUCKET, Key=name)["Body"].read()

    def client(self) -> Any:
        """Return a boto3 client for it."""
        return boto3.client(
            "s3",
            endpoint_url=self._url,
            aws_access_key_id="tests",
            aws_secret_access_key="tests",
            region_name="us-east-1",
        )

    def _is_listening(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
            return True
        return False
