"""The system as it is deployed: each part on a host of its own behind NGINX, watched by Prometheus."""

import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from interview_platform.demo import __main__ as demo
from interview_platform.demo import embedded
from interview_platform.demo.supervisor import Program
from tests.deploy.nginx import edge as edges
from tests.deploy.nginx.edge import Edge
from tests.faults import monitoring, network, pooler
from tests.faults.monitoring import Webhook
from tests.faults.network import Namespace, Network
from tests.faults.servers import Server, accept_from
from tests.stack import Stack

HOSTS = ("edge", "web-1", "web-2", "worker", "pgbouncer", "postgresql", "redis", "prometheus")
WEB = ("web-1", "web-2")
WEB_PORT = 8000
FIRST_WORKER_PORT = 9201


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

    def wait_ready(self) -> None:
        """Return once the edge reaches web, and everything behind it works."""
        self.stack.wait_ready()
        for name in WEB:
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
        if name in WEB:
            self.wait_web(name)

    def requests(self) -> list[dict[str, Any]]:
        """Return the lines of the access log."""
        return [json.loads(line) for line in self.edge.access_log.read_text().splitlines()]

    def leaked(self) -> list[str]:
        """Return the links and keys in the edge's logs."""
        logs = self.edge.access_log.read_text() + self.edge.error_log.read_text()
        return [secret for secret in (*self.stack.secrets, self.stack.demo["api_key"]) if secret in logs]


@dataclass
class Stores:
    """The stores of a fleet, each on its host."""

    postgresql: Server
    redis: Server
    pooler: Server


@contextlib.contextmanager
def fleet(directory: Path, models: dict[str, str]) -> Iterator[Fleet]:
    """Run it while the block runs: the demo's processes on eight hosts.

    models: settings for them.
    """
    directory.mkdir()
    directory.chmod(0o711)  # as root, PostgreSQL runs as another user
    ports: dict[str, int] = {}
    with contextlib.ExitStack() as running:
        enter = running.enter_context
        net = enter(Network())
        hosts = {name: net.host(name) for name in HOSTS}
        stores = enter(_stores(net, hosts, directory))
        web = [f"server {hosts[name].address}:{WEB_PORT} max_fails=2 fail_timeout=3s;" for name in WEB]
        edge = enter(edges.edge(directory / "edge", "".join(web), inside=hosts["edge"]))
        enter(_trusted(edge.certificate))
        stack = Stack(
            directory / "stack",
            env={**models, **_settings(net, hosts, stores, edge)},
            listener=cast(socket.socket, _Name(hosts["web-1"].address, WEB_PORT)),
            adapt=lambda programs: _placed(programs, hosts, stores.pooler.url, ports),
        )
        enter(stack)
        webhook = enter(_watched(directory / "monitoring", hosts, stores, edge, ports))
        stack.wait_ready()
        yield Fleet(net, hosts, stack, edge, webhook, list(ports))


@contextlib.contextmanager
def _stores(net: Network, hosts: dict[str, Namespace], directory: Path) -> Iterator[Stores]:
    accept_from(net, directory / "postgresql")
    postgresql = Server(embedded.postgresql, directory / "postgresql", inside=hosts["postgresql"])
    redis = Server(embedded.redis, directory / "redis", inside=hosts["redis"])
    with postgresql, redis:
        before = pooler.before(postgresql.url)
        with Server(before, directory / "pgbouncer", inside=hosts["pgbouncer"]) as bouncer:
            yield Stores(postgresql, redis, bouncer)


def _settings(net: Network, hosts: dict[str, Namespace], stores: Stores, edge: Edge) -> dict[str, str]:
    """Return the platform's settings behind the edge. Migrations and tests go past the pooler."""
    return {
        "DATABASE_URL": stores.postgresql.url,
        "REDIS_URL": stores.redis.url,
        "BASE_URL": edge.url,
        "ALLOWED_HOSTS": "*",  # Prometheus asks each process by its address
        "BEHIND_PROXY": "true",
        "METRICS_NETWORKS": net.range,
        "WORKER_HOST": hosts["worker"].address,
        "DRAIN_S": "8",
    }


def _watched(
    directory: Path,
    hosts: dict[str, Namespace],
    stores: Stores,
    edge: Edge,
    ports: dict[str, int],
) -> contextlib.AbstractContextManager[Webhook]:
    """Monitor everything. ports: of the workers."""
    targets = {
        "web": [f"{hosts[name].address}:{WEB_PORT}" for name in WEB],
        "worker": [f"{hosts['worker'].address}:{port}" for port in ports.values()],
        "redis": [f"{hosts['redis'].address}:9121"],
        "postgres": [f"{hosts['postgresql'].address}:9187"],
        "nginx": [f"{hosts['edge'].address}:9113"],
    }
    probes = {
        "pgbouncer": ("tcp", urlsplit(stores.pooler.url).netloc.rpartition("@")[2]),
        "edge": ("page", f"{edge.url}/health"),
    }
    exporters = monitoring.exporters(
        (hosts["edge"], f"{edge.inside_url}/stub_status"),
        (hosts["redis"], stores.redis.url),
        (hosts["postgresql"], stores.postgresql.url),
    )
    return monitoring.monitored(
        hosts["prometheus"], directory, targets=targets, probes=probes, exporters=exporters
    )


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
            placed += [_web(program, name, hosts[name], env) for name in WEB]
            continue
        for index in range(program.count):
            name = program.name if program.count == 1 else f"{program.name}-{index + 1}"
            if program.name != "cron":
                ports[name] = FIRST_WORKER_PORT + len(ports)
            own = {**env, "WORKER_PORT": str(ports.get(name, 0))}
            argv = (*hosts["worker"].prefix, *_without_nice(program.argv))
            placed.append(replace(program, name=name, argv=argv, count=1, env=own))
    return placed


def _without_nice(argv: Sequence[str]) -> Sequence[str]:
    """Return the command of a worker that stands back for no other: its host has a processor of its own."""
    at = argv.index("--nice") if "--nice" in argv else len(argv)
    return (*argv[:at], *argv[at + 2 :])


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
