"""The hosts of a platform whose files can be deleted: PostgreSQL 15 with pgBackRest, and SeaweedFS as S3."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from interview_platform.demo.embedded import free_port
from interview_platform.demo.processes import end_with_parent
from tests.faults.network import Namespace, here
from tests.faults.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
BACKUPS = ROOT / "deploy" / "backups"
BINARIES = Path("/usr/lib/postgresql/15/bin")
ACCOUNT = "postgres"


def missing() -> str:
    """Return which program this machine lacks, or ""."""
    programs = ("pgbackrest", "rclone", "redis-cli", "psql", "weed", str(BINARIES / "postgres"))
    lacking = [program for program in programs if not shutil.which(program)]
    return f"not on this machine: {', '.join(lacking)}" if lacking else ""


class PostgreSQL:
    """A server of Debian's PostgreSQL with the shipped settings, whose log goes to a repository."""

    def __init__(self, directory: Path, *, repository: Path, inside: Namespace = here) -> None:
        self.data = directory / "data"
        self.repository = repository
        self._inside = inside
        self.port = free_port()
        self._run = directory / "run"
        for made in (directory, self._run, repository):
            made.mkdir(parents=True)
            if os.geteuid() == 0:
                shutil.chown(made, ACCOUNT)
        for shipped in ("pgbackrest.conf", "postgresql.conf"):  # a checkout may be closed to its account
            shutil.copy(BACKUPS / shipped, self._run)

    @property
    def url(self) -> str:
        return f"postgres://postgres@{self._inside.address}:{self.port}/postgres"

    @property
    def env(self) -> dict[str, str]:
        """What PostgreSQL, pgBackRest and psql are told on this host."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PGHOST": str(self._run),
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGBACKREST_CONFIG": str(self._run / "pgbackrest.conf"),
            "PGBACKREST_PG1_PATH": str(self.data),
            "PGBACKREST_PG1_PORT": str(self.port),
            "PGBACKREST_PG1_SOCKET_PATH": str(self._run),
            "PGBACKREST_PG1_USER": "postgres",
            "PGBACKREST_REPO1_PATH": str(self.repository),
            "PGBACKREST_REPO1_CIPHER_PASS": "a key of the test",
            "PGBACKREST_LOCK_PATH": str(self._run),
            "PGBACKREST_LOG_LEVEL_CONSOLE": "warn",
        }

    @property
    def prefix(self) -> list[str]:
        """The beginning of a command that runs on this host, under PostgreSQL's account."""
        return [*self._inside.prefix, *(["runuser", "-u", ACCOUNT, "--"] if os.geteuid() == 0 else [])]

    @property
    def start_command(self) -> str:
        address = self._inside.address
        settings = f"-p {self.port} -c listen_addresses={address} -c unix_socket_directories={self._run}"
        settings += " -c archive_timeout=2 -c fsync=off"
        command = [*self.prefix, str(BINARIES / "pg_ctl"), "-D", str(self.data), "-l", str(self._run / "log")]
        return f'{" ".join(command)} -w -o "{settings}" start'

    def create(self) -> None:
        """Make an empty cluster that has the shipped settings."""
        self._do(
            [str(BINARIES / "initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        )
        shutil.copy(self._run / "postgresql.conf", self.data / "backups.conf")
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write("include 'backups.conf'\n")

    def follow(self, primary: "PostgreSQL") -> None:
        """Copy another host's cluster and follow it, until it is promoted."""
        source = ["-h", primary._inside.address, "-p", str(primary.port), "-U", "postgres"]
        slot = ["--create-slot", "--slot", "standby", "--write-recovery-conf", "--checkpoint", "fast"]
        self._do([str(BINARIES / "pg_basebackup"), "-D", str(self.data), *source, *slot])
        self.start()

    def accept(self, addresses: str) -> None:
        """Let hosts of this address range in, as clients and to follow."""
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {addresses} trust\nhost replication all {addresses} trust\n")

    def start(self) -> None:
        self._do(["bash", "-c", self.start_command])

    def lose(self) -> None:
        """Stop it without a word, and delete its files."""
        self.stop("immediate")
        shutil.rmtree(self.data)

    def stop(self, mode: str = "fast") -> None:
        if (self.data / "postmaster.pid").exists():
            self._do([*self.prefix, str(BINARIES / "pg_ctl"), "-D", str(self.data), "-m", mode, "stop"])

    def _do(self, command: list[str]) -> None:
        prefix = [] if command[0] in ("bash", *self.prefix) else self.prefix
        done = subprocess.run(
            [*prefix, *command], env=self.env, cwd=self._run, capture_output=True, text=True, check=False
        )
        log = self._run / "log"
        assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")


class ObjectStorage:
    """SeaweedFS with one bucket, at one address for as long as the test."""

    BUCKET, KEY, SECRET = "interviews", "tests", "a secret of the test"

    def __init__(self, directory: Path, *, inside: Namespace = here) -> None:
        self._directory = directory
        self._inside = inside
        self._files = directory / "files"
        self._ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
        self._grpc = {name: free_port() for name in self._ports}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self._inside.address}:{self._ports['s3']}"

    @property
    def env(self) -> dict[str, str]:
        """The platform's settings for it."""
        access = {"S3_ACCESS_KEY_ID": self.KEY, "S3_SECRET_ACCESS_KEY": self.SECRET, "S3_REGION": "us-east-1"}
        return {**access, "S3_BUCKET": self.BUCKET, "S3_ENDPOINT_URL": self.url}

    def rclone(self, name: str = "live") -> dict[str, str]:
        """Return rclone's settings for it, under this name."""
        settings = {
            "TYPE": "s3",
            "PROVIDER": "Other",
            "ENDPOINT": self.url,
            "ACCESS_KEY_ID": self.KEY,
            "SECRET_ACCESS_KEY": self.SECRET,
        }
        named = {f"RCLONE_CONFIG_{name.upper()}_{key}": value for key, value in settings.items()}
        return {"RCLONE_CONFIG": "/dev/null", **named}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it on what its directory holds, with an empty bucket if there is none."""
        self._files.mkdir(parents=True, exist_ok=True)
        access = self._directory / "s3.json"
        credentials = [{"accessKey": self.KEY, "secretKey": self.SECRET}]
        rights = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": "tests", "credentials": credentials, "actions": rights}
        access.write_text(json.dumps({"identities": [identity]}))
        ports = [f"-{name}.port={port}" for name, port in self._ports.items()]
        ports += [f"-{name}.port.grpc={port}" for name, port in self._grpc.items()]
        address = self._inside.address
        place = [f"-dir={self._files}", f"-ip={address}", f"-ip.bind={address}"]
        command = [*self._inside.prefix, "weed", "server", *place, "-s3", f"-s3.config={access}"]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *ports],
                cwd=self._directory, stdout=log, stderr=log, preexec_fn=end_with_parent(signal.SIGKILL),
            )  # fmt: skip
        wait_for(self._is_up, "object storage")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def lose(self) -> None:
        """Kill it, and delete its files."""
        self.stop()
        shutil.rmtree(self._files)

    def make_bucket(self, bucket: str) -> None:
        self.client().create_bucket(Bucket=bucket)

    def empty(self) -> None:
        """Delete every object of the bucket."""
        for name in self.names(""):
            self.client().delete_object(Bucket=self.BUCKET, Key=name)

    def names(self, prefix: str, bucket: str = BUCKET) -> list[str]:
        """Return the objects of a bucket whose names begin with `prefix`."""
        found = self.client().list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def read(self, name: str) -> bytes:
        return self.client().get_object(Bucket=self.BUCKET, Key=name)["Body"].read()

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.KEY,
            aws_secret_access_key=self.SECRET,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._directory / "log").read_text()[-4000:]
        with contextlib.suppress(Exception):
            self.client().create_bucket(Bucket=self.BUCKET)
        with contextlib.suppress(Exception):
            probe = {"Bucket": self.BUCKET, "Key": "probe"}
            self.client().put_object(**probe, Body=b"-")
            self.client().delete_object(**probe)
            return True
        return False
