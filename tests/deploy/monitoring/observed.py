"""A running system with all that watches it: exporters, Prometheus, Alertmanager, as in deploy/monitoring."""

import contextlib
import http.server
import json
import os
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGTERM
from typing import Any
from urllib.parse import urlsplit

import redis
import yaml

from interview_platform.demo.embedded import free_port
from interview_platform.demo.processes import end_with_parent
from interview_platform.demo.supervisor import Program
from tests.deploy.monitoring.expressions import MONITORING, PROMETHEUS, ROOT
from tests.faults.waiting import wait_for
from tests.stack import Stack

NEEDED = (
    *("prometheus", "prometheus-alertmanager", "prometheus-blackbox-exporter", "prometheus-nginx-exporter"),
    *("prometheus-node-exporter", "prometheus-postgres-exporter", "prometheus-redis-exporter"),
    *("nginx", "pgbouncer", "openssl"),
)
SCRAPE_S = 2
NGINX = """
daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log; user nobody nogroup;
events {{}}
http {{
  access_log off; client_body_temp_path {directory}; proxy_temp_path {directory};
  fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
  server {{ listen 127.0.0.1:{inside}; location /stub_status {{ stub_status; }} }}
  server {{
    listen 127.0.0.1:{edge} ssl;
    ssl_certificate {directory}/tls.crt; ssl_certificate_key {directory}/tls.key;
    location / {{ proxy_pass {web}; proxy_set_header Host $http_host; }}
  }}
}}
"""
PGBOUNCER = """
[databases]
* = host=127.0.0.1
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
"""


def missing() -> list[str]:
    """Return the programs that this machine lacks."""
    return [name for name in NEEDED if not shutil.which(name)]


class Workers:
    """The programs of a stack, one process each, as containers are: a port of its own, counts of its own."""

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}

    def adapt(self, programs: Sequence[Program]) -> list[Program]:
        return [self._alone(program) for program in programs]

    def _alone(self, program: Program) -> Program:
        env = {name: value for name, value in program.env.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
        if program.name != "web":
            self.ports[program.name] = free_port()
            name = "CRON_PORT" if program.name == "cron" else "WORKER_PORT"
            env |= {name: str(self.ports[program.name])}
        return replace(program, count=1, env=env)


@dataclass
class Observed:
    """The addresses of what watches, and what the webhook was told."""

    stack: Stack
    prometheus: str
    told: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return what Prometheus answers to a query now."""
        return self.get("query", query=query)["result"]

    def get(self, path: str, **parameters: str) -> Any:
        url = f"{self.prometheus}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None


@contextlib.contextmanager
def observed(directory: Path, env: Mapping[str, str]) -> Iterator[Observed]:
    """Run the system and all that watches it until the block ends."""
    workers = Workers()
    directory.mkdir(mode=0o711)
    with contextlib.ExitStack() as running:
        told: list[dict[str, Any]] = []
        webhook = _webhook(running, told)
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": webhook, "OTEL_BSP_SCHEDULE_DELAY": "500"}
        stack = running.enter_context(Stack(directory / "stack", env={**env, **traced}, adapt=workers.adapt))
        stack.wait_ready()
        targets = {
            "web": [stack.url.removeprefix("http://")],
            "cron": [f"127.0.0.1:{workers.ports.pop('cron')}"],
            "worker": [f"127.0.0.1:{port}" for port in workers.ports.values()],
        }
        edge = _edge(running, directory / "edge", stack.url)
        targets |= edge | _exporters(running, directory / "exporters", stack, edge)
        alertmanager = _alertmanager(running, directory / "alertmanager", webhook)
        targets["alertmanager"] = [alertmanager]
        yield Observed(stack, _prometheus(running, directory / "prometheus", targets, alertmanager), told)


def _edge(running: contextlib.ExitStack, directory: Path, web: str) -> dict[str, list[str]]:
    """Start NGINX with TLS, PgBouncer and an S3 server; return what is probed."""
    directory.mkdir()
    shutil.chown(directory, "nobody")
    inside, edge, pgbouncer, s3 = (free_port() for _ in range(4))
    certificate = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "90")
    files = ("-keyout", directory / "tls.key", "-out", directory / "tls.crt")
    subprocess.run(["openssl", *certificate, *names, *files], check=True, capture_output=True)
    text = NGINX.format(directory=directory, inside=inside, edge=edge, web=web)
    (directory / "nginx.conf").write_text(text)
    (directory / "pgbouncer.ini").write_text(PGBOUNCER.format(directory=directory, port=pgbouncer))
    (directory / "mood").write_text("well")
    _start(running, directory, "nginx", "-c", directory / "nginx.conf")
    _start(running, directory, "pgbouncer", "-u", "nobody", directory / "pgbouncer.ini")
    _start(
        running,
        directory,
        ROOT / ".venv/bin/python",
        "-m",
        "tests.faults.object_storage",
        s3,
        directory / "mood",
    )
    wait_for(lambda: _answers(f"http://127.0.0.1:{inside}/stub_status"), "NGINX")
    return {
        "edge": [f"https://127.0.0.1:{edge}/health"],
        "pgbouncer": [f"127.0.0.1:{pgbouncer}"],
        "s3": [f"127.0.0.1:{s3}"],
        "nginx": [f"127.0.0.1:{inside}"],  # replaced by its exporter
    }


def _exporters(
    running: contextlib.ExitStack, directory: Path, stack: Stack, edge: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Start the exporters; return their addresses by job."""
    directory.mkdir()
    note = 'interview_backup_last_success_timestamp_seconds{{kind="{}"}} {:.0f}\n'
    for kind in ("database", "objects"):
        (directory / f"{kind}.prom").write_text(note.format(kind, time.time()))
    store = urlsplit(stack.env["REDIS_URL"])
    with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
        client.config_set("maxmemory", "512mb")
    ports = {name: free_port() for name in ("redis", "postgres", "nginx", "node", "blackbox")}
    listen = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    passwords = {"REDIS_PASSWORD": store.password or "", "DATA_SOURCE_NAME": stack.owner_url}
    passwords["DATA_SOURCE_NAME"] += "?sslmode=disable"
    passwords["SSL_CERT_FILE"] = str(directory.parent / "edge" / "tls.crt")
    commands = {
        "redis": (
            f"-redis.addr=redis://{store.hostname}:{store.port}",
            f"-web.listen-address={listen['redis']}",
        ),
        "postgres": (f"--web.listen-address={listen['postgres']}",),
        "nginx": (
            f"--nginx.scrape-uri=http://{edge['nginx'][0]}/stub_status",
            f"-web.listen-address={listen['nginx']}",
        ),
        "node": (f"--collector.textfile.directory={directory}", f"--web.listen-address={listen['node']}"),
        "blackbox": (
            f"--config.file={MONITORING / 'blackbox' / 'blackbox.yml'}",
            f"--web.listen-address={listen['blackbox']}",
        ),
    }
    for name, options in commands.items():
        _start(running, directory, f"prometheus-{name}-exporter", *options, env=passwords)
    return {name: [address] for name, address in listen.items()}


def _webhook(running: contextlib.ExitStack, told: list[dict[str, Any]]) -> str:
    """Serve a webhook that keeps what it is told, and takes traces; return its address."""

    class Webhook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/v1/traces":
                told.extend(json.loads(body)["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    server = running.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    running.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


def _alertmanager(running: contextlib.ExitStack, directory: Path, webhook: str) -> str:
    directory.mkdir()
    text = (MONITORING / "alertmanager" / "alertmanager.yml").read_text()
    (directory / "alertmanager.yml").write_text(text.replace("http://127.0.0.1:9999", webhook))
    address = f"127.0.0.1:{free_port()}"
    options = (f"--config.file={directory}/alertmanager.yml", f"--storage.path={directory}")
    own = (f"--web.listen-address={address}", "--cluster.listen-address=")
    _start(running, directory, "prometheus-alertmanager", *options, *own)
    return address


def _prometheus(
    running: contextlib.ExitStack, directory: Path, targets: Mapping[str, list[str]], alertmanager: str
) -> str:
    """Run Prometheus with the configuration of deploy/monitoring, at the addresses of this test."""
    shutil.copytree(PROMETHEUS, directory)
    address = f"127.0.0.1:{free_port()}"
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    every = {"scrape_interval": f"{SCRAPE_S}s", "scrape_timeout": f"{SCRAPE_S}s"}
    config["global"] |= {**every, "evaluation_interval": f"{SCRAPE_S}s"}
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [alertmanager]}]}]
    config["scrape_configs"] = [
        _at(job, {**targets, "prometheus": [address]})
        for job in config["scrape_configs"]
        if job["job_name"] in {*targets, "prometheus"}
    ]
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
    options = (f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data")
    own = (f"--web.listen-address={address}", "--enable-feature=exemplar-storage")
    _start(running, directory, "prometheus", *options, *own)
    wait_for(lambda: _answers(f"http://{address}/-/ready"), "Prometheus")
    return f"http://{address}"


def _at(job: dict[str, Any], targets: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the job with the targets of this test instead of those of compose."""
    kept = {name: value for name, value in job.items() if not name.endswith("_configs")}
    relabelled = [
        rule | ({"replacement": targets["blackbox"][0]} if rule.get("target_label") == "__address__" else {})
        for rule in job.get("relabel_configs", [])
    ]
    return {**kept, "relabel_configs": relabelled, "static_configs": [{"targets": targets[job["job_name"]]}]}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _start(
    running: contextlib.ExitStack,
    directory: Path,
    program: object,
    *arguments: object,
    env: Mapping[str, str] = {},
) -> None:
    """Run a program until the test ends; its output goes to a file in `directory`."""
    argv = [str(program), *map(str, arguments)]
    log = running.enter_context((directory / f"{Path(argv[0]).name}.log").open("w"))
    process = subprocess.Popen(
        argv,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=os.environ | env,
        cwd=ROOT,
        preexec_fn=end_with_parent(SIGTERM),
    )

    def stop() -> None:
        process.terminate()
        process.wait(30)

    running.callback(stop)
