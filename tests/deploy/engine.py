"""A Docker engine of its own in a network namespace, and images without a registry."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.faults.network import NAMESPACES, Namespace

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 60


class Engine:
    """A running engine; its containers, ports and images are its own."""

    def __init__(self, directory: Path, namespace: str) -> None:
        self.directory = directory
        self.socket = directory / "docker.sock"
        self.host = Namespace(namespace, "127.0.0.1")

    def docker(
        self, *arguments: str, env: Mapping[str, str] | None = None, stdin: bytes | None = None
    ) -> str:
        """Run Debian's client and return what it prints.

        Raises:
            RuntimeError: it failed; the message has its errors.
        """
        return output((client(), *arguments), env={**self.env, **(env or {})}, stdin=stdin)

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_BUILDKIT": "1"}

    def has(self, image: str) -> bool:
        return bool(self.docker("images", "--quiet", image).strip())

    def import_root(self, archive: Path, image: str) -> None:
        """Make an image of the root file system in `archive`."""
        self.docker("import", str(archive), image)

    def remove_volumes(self) -> None:
        """Remove containers and their volumes; images stay."""
        for kind, listing in (("rm", ("ps", "--all")), ("volume rm", ("volume", "ls"))):
            if found := self.docker(*listing, "--quiet").split():
                self.docker(*kind.split(), "--force", *found)

    def build(self, image: str, *, file: Path, context: Path = ROOT, **arguments: str) -> None:
        """Build an image. The build shares the namespace's network; `target` is a stage, others are ARGs."""
        target = ("--target", arguments.pop("target")) if "target" in arguments else ()
        given = [part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")]
        options = ("--network", "host", "--file", str(file), "--tag", image, *target, *given)
        self.docker("build", "--progress", "plain", *options, str(context))


def output(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    cwd: Path = ROOT,
) -> str:
    """Return what the command prints.

    Raises:
        RuntimeError: it failed; the message has its errors.
    """
    done = subprocess.run(command, env=env, input=stdin, cwd=cwd, capture_output=True, check=False)
    if done.returncode:
        said = (done.stdout[-4000:] + done.stderr[-8000:]).decode(errors="replace")
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout.decode()


def client() -> str:
    """Return Debian's client: newer ones, which may stand before it in the path, want a newer engine."""
    return next((path for path in ("/usr/bin/docker",) if os.access(path, os.X_OK)), "docker")


@contextlib.contextmanager
def engine(directory: Path) -> Iterator[Engine]:
    """Start an engine that keeps everything below `directory`, which may be kept for the next one."""
    for program in ("dockerd", "containerd", "ip", "nsenter"):
        if not shutil.which(program):
            pytest.skip(f"there is no {program} here")
    if os.geteuid():
        pytest.skip("an engine needs root")
    name = f"images-{os.getpid()}"
    made = Engine(directory, name)
    output(("ip", "netns", "add", name))
    try:
        output(("ip", "-n", name, "link", "set", "lo", "up"))
        with _running(made):
            yield made
    finally:
        output(("ip", "netns", "del", name))


@contextlib.contextmanager
def _running(made: Engine) -> Iterator[None]:
    # Not `ip netns exec`: it mounts /sys again, without the control groups.
    command = [
        *("nsenter", f"--net={NAMESPACES / made.host.name}", "dockerd"),
        *("--data-root", str(made.directory / "data"), "--exec-root", str(made.directory / "run")),
        *("--pidfile", str(made.directory / "docker.pid"), "--host", f"unix://{made.socket}"),
        *("--cgroup-parent", f"/{made.host.name}", "--shutdown-timeout", "40"),
    ]
    with (made.directory / "engine.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_until_up(made, process)
        yield
    finally:
        process.terminate()
        process.wait(60)


def _wait_until_up(made: Engine, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            made.docker("version")
        except RuntimeError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the engine did not start; {made.directory}/engine.log") from error
            time.sleep(0.2)
        else:
            return


def debian_root(archive: Path, packages: Sequence[str]) -> Path:
    """Return the archive of a small Debian with these packages, made of Debian's own if it is not there."""
    if not archive.exists():
        if not shutil.which("mmdebstrap"):
            pytest.skip("there is no mmdebstrap here")
        unfinished = archive.with_suffix(".unfinished.tar")
        include = f"--include={','.join(packages)}"
        output(("mmdebstrap", "--variant=minbase", include, "bookworm", str(unfinished)))
        unfinished.rename(archive)
    return archive


@contextlib.contextmanager
def wheels_served(host: Namespace, wheels: Path, port: int) -> Iterator[str]:
    """Serve a folder of wheels inside the namespace. Yield its address, for pip's find-links."""
    command = [
        sys.executable,
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        "--directory",
        str(wheels),
        str(port),
    ]
    with host.entered():
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()
