"""deploy/compose.yaml on an engine, as a system that the crowd of the fault tests can talk to."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import psycopg
from botocore.config import Config

from tests.deploy.docker import images
from tests.deploy.engine import ROOT, Engine, output

COMPOSE = ROOT / "deploy" / "compose.yaml"
HOST = "localhost"
URL = f"https://{HOST}"


class Composed:
    """The platform in containers. `folder` is a copy of deploy/ with its own .env."""

    url = URL

    def __init__(self, engine: Engine, compose: Path, folder: Path) -> None:
        self._engine, self._compose, self._folder = engine, compose, folder
        self.secrets: set[str] = set()

    def compose(self, *arguments: str) -> str:
        """Run docker compose on the copy."""
        env = {**self._engine.env, **images.VARIABLES}
        command = (str(self._compose), "--file", str(self._folder / "compose.yaml"), *arguments)
        return output(command, env=env)

    def up(self) -> None:
        self.compose("up", "--detach", "--wait", "--wait-timeout", "420")

    def manage(self, *arguments: str) -> str:
        return self.compose("exec", "-T", "web", "python", "manage.py", *arguments)

    def address(self, service: str) -> str:
        """Return the first container's address, which is reached from the engine's namespace."""
        container = self.compose("ps", "--quiet", service).split()[0]
        networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        return self._engine.docker("inspect", "--format", networks, container).split()[0]

    @cached_property
    def demo(self) -> dict[str, Any]:
        """The facts of the demo's organisation, which is loaded once."""
        self.manage("load_demo", "--base-url", self.url, "--write", "/tmp/demo.json")
        return json.loads(self.compose("exec", "-T", "web", "cat", "/tmp/demo.json"))

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of an SQL query."""
        with psycopg.connect(self._database_url()) as connection:
            return connection.execute(query, parameters).fetchall()

    def trust(self, environ: Any) -> None:
        """Let every TLS client of this process believe the certificate that signs itself."""
        certificate = self._folder / "tls.crt"
        certificate.write_text(self.compose("exec", "-T", "nginx", "cat", "/etc/nginx/tls/tls.crt"))
        environ.setenv("SSL_CERT_FILE", str(certificate))

    def _database_url(self) -> str:
        return f"postgres://interviews:{self.env['STORES_PASSWORD']}@{self.address('postgres')}/interviews"

    @cached_property
    def env(self) -> Mapping[str, str]:
        """The values of deploy/.env."""
        lines = (self._folder / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


class Bucket:
    """The recordings in object storage."""

    def __init__(self, composed: Composed) -> None:
        self._client = boto3.client(
            "s3",
            endpoint_url=f"http://{composed.address('s3')}:8333",
            aws_access_key_id="interviews",
            aws_secret_access_key=composed.env["STORES_PASSWORD"],
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )

    def names(self, directory: str) -> list[str]:
        found = self._client.list_objects_v2(Bucket="interviews", Prefix=f"{directory}/")
        return sorted(each["Key"] for each in found.get("Contents", []))

    def read(self, name: str) -> bytes:
        return self._client.get_object(Bucket="interviews", Key=name)["Body"].read()
