"""A region and its standby set, each on a host of its own, and the edge before them."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from interview_platform.demo import embedded
from interview_platform.demo.__main__ import Program, listening_socket
from interview_platform.demo.processes import end_with_parent
from tests.deploy.backups.hosts import ROOT, ObjectStorage, PostgreSQL
from tests.deploy.backups.platform import SECRETS
from tests.faults.network import Namespace
from tests.faults.servers import Server
from tests.faults.waiting import wait_for
from tests.stack import Stack, small

REGIONS = ROOT / "deploy" / "regions"
NAME = "eu"


class Place:
    """The stores and the processes of one installation, all on one host."""

    def __init__(self, directory: Path, host: Namespace, running: contextlib.ExitStack) -> None:
        self.directory, self.host = directory, host
        directory.mkdir()
        directory.chmod(0o711)
        (directory / "objects").mkdir()
        self.postgresql = PostgreSQL(
            directory / "postgresql", repository=directory / "repository", inside=host
        )
        self.objects = running.enter_context(ObjectStorage(directory / "objects", inside=host))
        self.redis = running.enter_context(Server(embedded.redis, directory / "redis", inside=host))
        running.callback(self.postgresql.stop, "immediate")

    @property
    def database(self) -> str:
        return self.postgresql.url.rpartition("/")[0] + "/interviews"

    def settings(self, edge: str) -> dict[str, str]:
        """Return the platform's settings. Both sets have the same name, keys and address."""
        return {
            **SECRETS,
            **self.objects.env,
            "REDIS_URL": self.redis.url,
            "REGION": NAME,
            "AUDIO_KEPT_S": "600",
            "BASE_URL": edge,
            "ALLOWED_HOSTS": f"127.0.0.1,{self.host.address}",
            "DRAIN_S": "1",
        }

    @contextlib.contextmanager
    def platform(self, edge: str, models: dict[str, str]) -> Iterator[Stack]:
        """Web processes, workers and cron."""

        def here(programs: Sequence[Program]) -> list[Program]:
            return [replace(each, argv=(*self.host.prefix, *each.argv)) for each in small(programs)]

        env = {**self.settings(edge), **models}
        place = {"database": self.database, "adapt": here}
        with contextlib.ExitStack() as running:
            with self.host.entered():
                listener = running.enter_context(listening_socket(self.host.address, 0))
            stack = Stack(self.directory / "stack", env=env, listener=listener, **place)
            yield running.enter_context(stack)

    def script(self, name: str, **settings: str) -> list[str]:
        """Return the command that runs a script of deploy/regions on this host."""
        given = [f"{key}={value}" for key, value in settings.items()]
        return [*self.host.prefix, "env", *given, str(REGIONS / name)]


class Edge:
    """NGINX with the shipped map. It leads the region's name to one place after the other."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = embedded.free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lead_to(self, address: str) -> None:
        """Lead the region's name to this address, at once."""
        (self._directory / "upstreams.conf").write_text(
            f"upstream {NAME} {{ server {address}; }}\nupstream us {{ server 127.0.0.1:9; }}\n"
        )
        if self._process is None:
            self._start()
        else:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _start(self) -> None:
        for shipped, name in (("nginx.conf", "regions.conf"), ("regions.map.example", "regions.map")):
            shutil.copy(REGIONS / shipped, self._directory / name)
        settings = self._directory / "nginx.conf"
        settings.write_text(f"""
daemon off; pid {self._directory}/pid; error_log {self._directory}/log; worker_shutdown_timeout 1s;
events {{ worker_connections 1000; }}
http {{
  include regions.conf; include upstreams.conf; access_log off;
  map $http_upgrade $connection_header {{ default upgrade; "" ""; }}
  server {{
    listen 127.0.0.1:{self.port};
    location / {{
      proxy_pass http://$region_upstream; proxy_http_version 1.1; proxy_read_timeout 75s;
      proxy_connect_timeout 3s; proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_header;
    }}
  }}
}}
""")
        log = self._directory / "log"
        command = ["nginx", "-p", str(self._directory), "-c", str(settings), "-e", str(log)]
        self._process = subprocess.Popen(command, preexec_fn=end_with_parent(signal.SIGTERM))
        wait_for(lambda: (self._directory / "pid").exists(), "the edge")


def nginx_is_missing() -> str:
    """Return that this machine has no NGINX, or ""."""
    return "" if shutil.which("nginx") else "not on this machine: nginx"


def run(command: Sequence[str], **settings: str) -> str:
    """Run a command and return what it printed.

    Raises:
        RuntimeError: it failed.
    """
    env = {**os.environ, **settings}
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


MANAGE = f"{sys.executable} manage.py"
