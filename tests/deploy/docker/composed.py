"""The platform as docs/deployment.md starts it, as a system that the crowd of the fault tests can talk to."""

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import psycopg
from botocore.config import Config

from tests.deploy.docker import document, images
from tests.deploy.engine import Engine, client, output

DOCUMENTED_HOST, HOST = "interviews.example.com", "localhost"
DOCKER = """#!/bin/sh
[ "$1" = compose ] || exec {docker} "$@"
shift
exec {compose} "$@" < /dev/null # without a terminal, which `exec` would want
"""
"""`docker` with Compose as its plugin: Debian's engine has none."""

STORES = ("DATABASE_URL", "DATABASE_DIRECT_URL", "REDIS_URL")
"""Of the tests' own servers: a value of the environment wins over deploy/.env."""


class Composed:
    """The platform in containers, started from `clone`, a clone of the repository."""

    url = f"https://{HOST}"

    def __init__(self, engine: Engine, compose: Path, clone: Path) -> None:
        self._engine, self._clone = engine, clone
        self.secrets: set[str] = set()
        programs = clone.parent / "bin"
        programs.mkdir()
        (programs / "docker").write_text(DOCKER.format(docker=client(), compose=compose))
        (programs / "docker").chmod(0o755)
        inherited = {name: value for name, value in engine.env.items() if name not in STORES}
        self._env = {**inherited, **images.VARIABLES, "PATH": f"{programs}:{engine.env['PATH']}"}

    def follow(self, section: str) -> list[str]:
        """Run the commands of that section of docs/deployment.md. Return what each block prints."""
        blocks = document.commands(section, self._clone / "docs" / "deployment.md")
        assert blocks, f"{section} has no commands"
        return [self.run(block.replace(DOCUMENTED_HOST, HOST)) for block in blocks]

    def run(self, commands: str) -> str:
        return output(("sh", "-euc", commands), env=self._env, cwd=self._clone)

    def compose(self, *arguments: str) -> str:
        return self.run(f"docker compose --file deploy/compose.yaml {shlex.join(arguments)}")

    def up(self) -> None:
        self.compose("up", "--detach", "--wait")

    def address(self, service: str) -> str:
        """Return the first container's address, which is reached from the engine's namespace."""
        container = self.compose("ps", "--quiet", service).split()[0]
        networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        return self._engine.docker("inspect", "--format", networks, container).split()[0]

    @cached_property
    def demo(self) -> dict[str, Any]:
        """The facts of the demo's organisation, which is loaded once."""
        _loaded, told = self.follow("The first interview")[0].split("{", 1)
        return json.loads("{" + told)

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of an SQL query."""
        with psycopg.connect(self._database_url()) as connection:
            return connection.execute(query, parameters).fetchall()

    def trust(self, environ: Any) -> None:
        """Let every TLS client of this process believe the certificate that signs itself."""
        certificate = self._clone.parent / "tls.crt"
        certificate.write_text(self.compose("exec", "nginx", "cat", "/etc/nginx/tls/tls.crt"))
        environ.setenv("SSL_CERT_FILE", str(certificate))

    def _database_url(self) -> str:
        return f"postgres://interviews:{self.env['OWNER_PASSWORD']}@{self.address('postgres')}/interviews"

    @cached_property
    def env(self) -> Mapping[str, str]:
        """The values of deploy/.env."""
        lines = (self._clone / "deploy" / ".env").read_text().splitlines()
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
