"""The system as it is deployed: each part on a host of its own behind NGINX, watched by Prometheus."""

import contextlib
import json
import os
import re
import signal
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from interview_platform.demo import __main__ as demo
from interview_platform.demo import embedded
from interview_platform.demo.supervisor import Program
from tests.deploy.nginx import edge as edges
from tests.deploy.nginx.edge import Edge
from tests.faults import monitoring, network, pooler
from tests.faults.monitoring import Webhook
from tests.faults.network import Namespace, Network
from tests.faults.servers import Server
from tests.stack import Stack

HOSTS = ("edge", "web-1", "web-2", "worker", "pgbouncer", "postgresql", "redis", "prometheus")
WEB_PORT = 8000
FIRST_WORKER_PORT = 9201
WAIT_S = 0.5
"""Between two looks of a visitor: what the limit of a link allows."""


def problem() -> str:
    """Return why this machine cannot run the fleet, or "" if it can."""
    return network.problem() or edges.problem() or pooler.problem() or monitoring.problem()


@dataclass
class Fleet:
    """The running system. pools: the names of the workers' programs."""

    network: Network
    hosts: dict[str, Namespace]
    stack: Stack
    edge: Edge
    webhook: Webhook
    pools: list[str]

    @property
    def web(self) -> list[str]:
        """The names of the web programs."""
        return [name for name in HOSTS if name.startswith("web")]

    def wait_ready(self) -> None:
        """Return once the edge reaches web, and everything behind it works."""
        self.stack.wait_ready()
        for name in self.web:
            self.wait_web(name)

    def wait_web(self, name: str, *, within_s: float = 120.0) -> None:
        """Return once that web process can serve candidates."""
        address = self.hosts[name].address
        deadline = time.monotonic() + within_s
        while missing := demo.missing_parts(WEB_PORT, address, address=address):
            assert time.monotonic() < deadline, f"{name}: {missing}"
            time.sleep(0.1)

    def replace(self, name: str) -> None:
        """Stop a program with SIGTERM, and wait until its successor works."""
        old = self.stack.kill(name, 0, signal.SIGTERM)
        self.stack.wait_restarted(name, old)
        if name in self.web:
            self.wait_web(name)

    def requests(self) -> list[dict[str, Any]]:
        """Return the lines of the access log."""
        return [json.loads(line) for line in self.edge.access_log.read_text().splitlines()]

    def leaked(self) -> list[str]:
        """Return the links and keys in the edge's logs."""
        logs = self.edge.access_log.read_text() + self.edge.error_log.read_text()
        return [secret for secret in (*self.stack.secrets, self.stack.demo["api_key"]) if secret in logs]


@contextlib.contextmanager
def fleet(directory: Path, models: dict[str, str]) -> Iterator[Fleet]:
    """Run it while the block runs. All of `make load`'s processes, on eight hosts."""
    directory.mkdir()
    directory.chmod(0o711)  # as root, PostgreSQL runs as another user
    with contextlib.ExitStack() as running:
        enter = running.enter_context
        net = enter(Network())
        hosts = {name: net.host(name) for name in HOSTS}
        accept_from(net, directory / "postgresql")
        postgresql = enter(Server(embedded.postgresql, directory / "postgresql", inside=hosts["postgresql"]))
        redis = enter(Server(embedded.redis, directory / "redis", inside=hosts["redis"]))
        bouncer = enter(
            Server(pooler.before(postgresql.url), directory / "pgbouncer", inside=hosts["pgbouncer"])
        )
        lines = "".join(
            f"server {hosts[name].address}:{WEB_PORT} max_fails=2 fail_timeout=3s;"
            for name in ("web-1", "web-2")
        )
        edge = enter(edges.edge(directory / "edge", lines, inside=hosts["edge"]))
        enter(_trusted(edge.certificate))
        env = {
            **models,
            "DATABASE_URL": postgresql.url,
            "REDIS_URL": redis.url,
            "BASE_URL": edge.url,
            "ALLOWED_HOSTS": "*",
            "BEHIND_PROXY": "true",
            "METRICS_NETWORKS": net.range,
            "WORKER_HOST": hosts["worker"].address,
            "DRAIN_S": "8",
        }
        with hosts["web-1"].entered():
            listener = enter(_named(hosts["web-1"].address, WEB_PORT))
        ports: dict[str, int] = {}
        stack = enter(
            Stack(
                directory / "stack",
                env=env,
                listener=listener,
                adapt=lambda programs: _placed(programs, hosts, bouncer.url, ports),
            )
        )
        worker = hosts["worker"].address
        targets = {
            "web": [f"{hosts[name].address}:{WEB_PORT}" for name in ("web-1", "web-2")],
            "worker": [f"{worker}:{port}" for port in ports.values()],
            "redis": [f"{hosts['redis'].address}:9121"],
            "postgres": [f"{hosts['postgresql'].address}:9187"],
            "nginx": [f"{hosts['edge'].address}:9113"],
        }
        probes = {
            "pgbouncer": ("tcp", urlsplit(bouncer.url).netloc.rpartition("@")[2]),
            "edge": ("page", f"{edge.url}/admin/login/"),
        }
        beside = monitoring.exporters(
            (hosts["edge"], f"{edge.inside_url}/stub_status"),
            (hosts["redis"], redis.url),
            (hosts["postgresql"], postgresql.url),
        )
        webhook = enter(
            monitoring.monitored(
                hosts["prometheus"],
                directory / "monitoring",
                targets=targets,
                probes=probes,
                exporters=beside,
            )
        )
        stack.wait_ready()
        yield Fleet(net, hosts, stack, edge, webhook, list(ports))


def accept_from(net: Network, directory: Path) -> None:
    """Make the database in `directory` accept the network's other hosts."""
    with embedded.postgresql(directory):
        pass
    with (embedded.reachable(directory) / "cluster" / "pg_hba.conf").open("a") as rules:
        rules.write(f"host all all {net.range} scram-sha-256\n")


def _placed(
    programs: list[Program], hosts: dict[str, Namespace], pooler_url: str, ports: dict[str, int]
) -> list[Program]:
    """Return the programs on their hosts, behind PgBouncer, each with metrics of its own.

    ports: receives the port of each worker.
    """
    placed = []
    for program in programs:
        env = {name: value for name, value in program.env.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
        database = urlsplit(env["DATABASE_URL"]).path
        env |= {"DATABASE_URL": pooler_url + database, "DATABASE_PREPARES_AFTER": "0"}
        if program.name == "web":
            placed += [_web(program, name, hosts[name], env) for name in HOSTS if name.startswith("web")]
            continue
        for index in range(program.count):
            name = program.name if program.count == 1 else f"{program.name}-{index + 1}"
            if program.name != "cron":
                ports[name] = FIRST_WORKER_PORT + len(ports)
            own = {**env, "WORKER_PORT": str(ports.get(name, 0))}
            argv = (*hosts["worker"].prefix, *program.argv)
            placed.append(replace(program, name=name, argv=argv, count=1, env=own))
    return placed


def _web(program: Program, name: str, host: Namespace, env: dict[str, str]) -> Program:
    """Return a web process that listens as in a container: a stopped one refuses connections."""
    argv = list(program.argv)
    at = argv.index("--fd")
    argv[at : at + 2] = ["--bind", host.address, "--port", str(WEB_PORT)]
    return replace(program, name=name, argv=(*host.prefix, *argv), count=1, env=env, pass_fds=())


class _Name:
    """Stands for a listening socket where only its name is wanted."""

    def __init__(self, host: str, port: int) -> None:
        self._name = (host, port)

    def getsockname(self) -> tuple[str, int]:
        return self._name

    def fileno(self) -> int:
        return 0


@contextlib.contextmanager
def _named(host: str, port: int) -> Iterator[_Name]:
    yield _Name(host, port)


@contextlib.contextmanager
def _trusted(certificate: Path) -> Iterator[None]:
    """Let every client of this process believe the certificate while the block runs."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(certificate)
    try:
        yield
    finally:
        os.environ.pop("SSL_CERT_FILE")
        if before:
            os.environ["SSL_CERT_FILE"] = before


class Visitor:
    """Loads a page through the edge again and again, in a thread, from `with` to its end."""

    def __init__(self, link: str, certificate: Path) -> None:
        self._link = link
        self._trust = ssl.create_default_context(cafile=str(certificate))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit, name="visitor")
        self.seen_at: list[float] = []
        self.problems: list[str] = []

    def __enter__(self) -> "Visitor":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def away_s(self) -> float:
        """The longest time without the page."""
        gaps = (later - sooner for sooner, later in zip(self.seen_at, self.seen_at[1:], strict=False))
        return max(max(gaps, default=0.0) - WAIT_S, 0.0)

    def _visit(self) -> None:
        while not self._stop.wait(WAIT_S):
            try:
                with urllib.request.urlopen(self._link, timeout=5, context=self._trust):
                    self.seen_at.append(time.monotonic())
            except OSError as error:
                self.problems.append(re.sub(r"\s+", " ", str(error)))
