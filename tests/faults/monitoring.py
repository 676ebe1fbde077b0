"""Prometheus with the rules of deploy/monitoring, exporters, Alertmanager, and a webhook that remembers."""

import contextlib
import json
import re
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from interview_platform.demo.supervisor import Program
from tests.faults.network import Namespace
from tests.faults.pool import Pool
from tests.faults.waiting import wait_for

RULES = Path(__file__).resolve().parents[2] / "deploy" / "monitoring" / "prometheus" / "rules"
LONGEST_FOR_S = 10
"""`for:` of each alert is made this short, and scrapes frequent: a host is away for 30 s only."""
SCRAPE_S = 2
PROGRAMS = (
    *("prometheus", "prometheus-alertmanager", "prometheus-nginx-exporter"),
    *("prometheus-redis-exporter", "prometheus-postgres-exporter", "prometheus-blackbox-exporter"),
)
PROBES = {
    "modules": {
        "tcp": {"prober": "tcp", "timeout": "2s"},
        "page": {
            "prober": "http",
            "timeout": "2s",
            "http": {"preferred_ip_protocol": "ip4", "tls_config": {"insecure_skip_verify": True}},
        },
    }
}
ROUTE = {
    "receiver": "test",
    "group_by": ["..."],
    "group_wait": "0s",
    "group_interval": "1s",
    "repeat_interval": "1h",
}


def problem() -> str:
    """Return why this machine cannot be monitored, or ""."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    return f"not here: {', '.join(missing)} (Debian packages)" if missing else ""


@dataclass
class Webhook:
    """What Alertmanager told."""

    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def wait(self, name: str, status: str, *, since: float, labels: Mapping[str, str]) -> float:
        """Return the seconds from `since` (of `time.monotonic()`) until that alert had that status."""
        found: list[float] = []

        def is_told() -> bool:
            found[:] = [
                at - since
                for at, alert in list(self.told)
                if at >= since and alert["status"] == status and alert["labels"]["alertname"] == name
                if labels.items() <= alert["labels"].items()
            ]
            return bool(found)

        wait_for(is_told, lambda: f"{name} to be {status}; told: {self.names(since)}")
        return found[0]

    def names(self, since: float) -> list[str]:
        """Return the alerts that were told since then."""
        return sorted({f"{a['labels']['alertname']} {a['status']}" for at, a in self.told if at >= since})


@contextlib.contextmanager
def monitored(
    host: Namespace,
    directory: Path,
    *,
    targets: Mapping[str, Sequence[str]],
    probes: Mapping[str, tuple[str, str]],
    exporters: Sequence[Program],
) -> Iterator[Webhook]:
    """Run it all on `host` while the block runs.

    targets: addresses by job. probes: module and target by job. exporters: what runs on other hosts.
    """
    directory.mkdir(parents=True)
    webhook = Webhook()
    with _receiver(webhook, host) as port:
        rules = _shortened(directory / "rules")
        receiver = {
            "name": "test",
            "webhook_configs": [{"url": f"http://{host.address}:{port}/", "send_resolved": True}],
        }
        _write(directory / "alertmanager.json", {"route": ROUTE, "receivers": [receiver]})
        _write(directory / "blackbox.json", PROBES)
        _write(directory / "prometheus.json", _prometheus(host, rules, targets, probes))
        with Pool([*_programs(host, directory), *exporters], directory / "log"):
            yield webhook


def exporters(
    edge: tuple[Namespace, str], redis: tuple[Namespace, str], postgresql: tuple[Namespace, str]
) -> list[Program]:
    """Return the exporters, each beside its server: the host, and the server's URL."""
    password = urlsplit(redis[1]).password or ""
    return [
        Program(
            "nginx-exporter",
            _on(
                edge[0],
                "prometheus-nginx-exporter",
                "-nginx.scrape-uri",
                edge[1],
                "-web.listen-address",
                ":9113",
            ),
        ),
        Program(
            "redis-exporter",
            _on(redis[0], "prometheus-redis-exporter", "-web.listen-address", ":9121"),
            env={
                "REDIS_ADDR": f"redis://{urlsplit(redis[1]).netloc.rpartition('@')[2]}",
                "REDIS_PASSWORD": password,
            },
        ),
        Program(
            "postgres-exporter",
            _on(postgresql[0], "prometheus-postgres-exporter", "--web.listen-address=:9187"),
            env={"DATA_SOURCE_NAME": f"{postgresql[1]}?sslmode=disable"},
        ),
    ]


def _programs(host: Namespace, directory: Path) -> list[Program]:
    address = host.address
    return [
        Program(
            "prometheus",
            _on(
                host,
                "prometheus",
                f"--config.file={directory / 'prometheus.json'}",
                f"--storage.tsdb.path={directory / 'series'}",
                f"--web.listen-address={address}:9090",
            ),
        ),
        Program(
            "alertmanager",
            _on(
                host,
                "prometheus-alertmanager",
                f"--config.file={directory / 'alertmanager.json'}",
                f"--storage.path={directory / 'alerts'}",
                f"--web.listen-address={address}:9093",
                "--cluster.listen-address=",
            ),
        ),
        Program(
            "blackbox",
            _on(
                host,
                "prometheus-blackbox-exporter",
                f"--config.file={directory / 'blackbox.json'}",
                f"--web.listen-address={address}:9115",
            ),
        ),
    ]


def _prometheus(
    host: Namespace,
    rules: Path,
    targets: Mapping[str, Sequence[str]],
    probes: Mapping[str, tuple[str, str]],
) -> dict[str, Any]:
    scraped = [{"job_name": job, "static_configs": [{"targets": list(at)}]} for job, at in targets.items()]
    return {
        "global": {
            "scrape_interval": f"{SCRAPE_S}s",
            "scrape_timeout": f"{SCRAPE_S}s",
            "evaluation_interval": "1s",
        },
        "rule_files": [str(rules / "*.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{host.address}:9093"]}]}]},
        "scrape_configs": [*scraped, *(_probe(host, job, *probe) for job, probe in probes.items())],
    }


def _probe(host: Namespace, job: str, module: str, target: str) -> dict[str, Any]:
    """A job of the blackbox exporter, which asks the target itself."""
    return {
        "job_name": job,
        "metrics_path": "/probe",
        "params": {"module": [module]},
        "static_configs": [{"targets": [target]}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__address__"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"{host.address}:9115"},
        ],
    }


def _shortened(directory: Path) -> Path:
    """Copy the rules, with `for:` of LONGEST_FOR_S."""
    directory.mkdir()
    for file in RULES.glob("*.yml"):
        text = re.sub(r"\bfor: \S+", f"for: {LONGEST_FOR_S}s", file.read_text())
        (directory / file.name).write_text(text)
    return directory


@contextlib.contextmanager
def _receiver(webhook: Webhook, host: Namespace) -> Iterator[int]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            webhook.told += [(time.monotonic(), alert) for alert in body["alerts"]]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Write no log."""

    with host.entered():
        server = ThreadingHTTPServer((host.address, 0), Receiver)
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _on(host: Namespace, *argv: str) -> tuple[str, ...]:
    return (*host.prefix, *argv)


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content))
