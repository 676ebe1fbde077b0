"""NGINX with the configuration of deploy/nginx, as `start.sh` runs it."""

import contextlib
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from interview_platform.demo.embedded import free_port
from interview_platform.demo.processes import end_with_parent
from tests.faults.network import Namespace, here
from tests.faults.waiting import wait_for

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "nginx"
START = FOLDER / "start.sh"


def problem() -> str:
    """Return why this machine cannot run the edge, or "" if it can."""
    missing = [name for name in ("nginx", "envsubst") if not shutil.which(name)]
    return f"not here: {', '.join(missing)} (Debian packages nginx-light, gettext-base)" if missing else ""


@dataclass
class Edge:
    """A running edge. Its files are in `directory`, its values those of edge.env but for `values`."""

    directory: Path
    values: dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"https://{self._address}:{self.values['EDGE_HTTPS_PORT']}"

    @property
    def plain_url(self) -> str:
        return f"http://{self._address}:{self.values['EDGE_HTTP_PORT']}"

    @property
    def inside_url(self) -> str:
        return f"http://{self._address}:{self.values['EDGE_INSIDE_PORT']}"

    @property
    def access_log(self) -> Path:
        return Path(self.values["EDGE_ACCESS_LOG"])

    @property
    def error_log(self) -> Path:
        return self.directory / "errors"

    @property
    def configuration(self) -> Path:
        return Path(self.values["EDGE_RUN_DIR"]) / "nginx.conf"

    @property
    def certificate(self) -> Path:
        return self.directory / "tls.crt"

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """A client's context that believes the edge's certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def reload(self) -> None:
        """Let new workers take over; the old ones serve what is open."""
        self.process.send_signal(signal.SIGHUP)

    @property
    def _address(self) -> str:
        return self.values["EDGE_SERVER_NAME"].partition(" ")[0]


def values(directory: Path, *, address: str, web_servers: str, **changed: str) -> dict[str, str]:
    """Return the values of an edge at that address whose files are in `directory`."""
    ports = {f"EDGE_{name}_PORT": str(free_port()) for name in ("HTTP", "HTTPS", "INSIDE")}
    return {
        **ports,
        "EDGE_LISTEN_ADDRESS": address,
        "EDGE_SERVER_NAME": f"{address} localhost",
        "EDGE_CERTIFICATE": str(directory / "tls.crt"),
        "EDGE_CERTIFICATE_KEY": str(directory / "tls.key"),
        "EDGE_WEB_SERVERS": web_servers,
        "EDGE_RESOLVER": "127.0.0.1",
        "EDGE_STATIC_ROOT": str(directory / "static"),
        "EDGE_ACCESS_LOG": str(directory / "access"),
        "EDGE_RUN_DIR": str(directory / "run"),
        **{f"EDGE_{name}": value for name, value in changed.items()},
    }


@contextlib.contextmanager
def edge(directory: Path, web_servers: str, *, inside: Namespace = here, **changed: str) -> Iterator[Edge]:
    """Run the edge before those web processes while the block runs.

    web_servers: lines of nginx. changed: values of edge.env, by their names without EDGE_.
    """
    directory.mkdir(parents=True, exist_ok=True)
    wanted = values(directory, address=inside.address, web_servers=web_servers, **changed)
    write_certificate(directory, inside.address)
    with (directory / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [*inside.prefix, str(START)],
            env={**os.environ, **wanted},
            stdout=errors,
            stderr=errors,
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
    running = Edge(directory, wanted, process)
    try:
        pid = Path(wanted["EDGE_RUN_DIR"]) / "nginx.pid"
        wait_for(lambda: pid.exists() or process.poll() is not None, "nginx to start")
        assert process.poll() is None, running.error_log.read_text()
        yield running
    finally:
        process.terminate()
        process.wait(60)


def write_certificate(directory: Path, address: str) -> None:
    """Write a self-signed certificate for the address and localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "edge")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address(address))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
