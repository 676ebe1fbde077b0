"""Pods of rendered manifests, by `podman kube play` in a network namespace of their own."""

import contextlib
import copy
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.kubernetes.manifests import Manifest, of_kind, pods, settings
from tests.faults.network import NAMESPACES, Namespace, ip

ROOT = Path(__file__).resolve().parents[3]
BASE_PACKAGES = "python3,python3-venv,tini,ca-certificates"
BASE, INFRA = "localhost/debian-python:12", "localhost/infra:1"
CONFIGURATION = f"""
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
infra_image = "{INFRA}"
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
"""
"""Podman's own limits are higher than a machine may allow it to set."""
NOT_OF_PODMAN = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
"""Podman's probes need curl in the image, so the test asks the addresses itself."""


class Podman:
    """A podman with a store of its own; what it starts is in the namespace `host`."""

    def __init__(self, directory: Path, host: Namespace) -> None:
        self.directory, self.host = directory, host
        (directory / "containers.conf").write_text(CONFIGURATION)

    def __call__(
        self, *arguments: str, stdin: str | None = None, within_s: float = 600, is_inside: bool = True
    ) -> str:
        """Run podman in the namespace, or outside to build, and return what it prints.

        Raises:
            RuntimeError: it failed; the message has its errors.
        """
        store = ("--root", str(self.directory / "root"), "--runroot", str(self.directory / "run"))
        # Not `ip netns exec`: it mounts /sys again, without the control groups.
        inside = ("nsenter", f"--net={NAMESPACES / self.host.name}") if is_inside else ()
        # A stage's ARG without a value would be this machine's variable.
        env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        done = subprocess.run(
            (*inside, "podman", *store, *arguments),
            env={**env, "CONTAINERS_CONF": str(self.directory / "containers.conf")},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=within_s,
        )
        if done.returncode:
            raise RuntimeError(f"podman {arguments[0]} ended with {done.returncode}: {done.stderr[-6000:]}")
        return done.stdout

    def has(self, image: str) -> bool:
        return bool(self("images", "--quiet", image).strip())

    def import_base(self) -> None:
        """Make a base image of Debian's packages, and of it the one that holds the namespaces of a pod."""
        archive = self.directory / "base.tar"
        if not archive.exists():
            packages = f"--include={BASE_PACKAGES}"
            command = ("mmdebstrap", "--variant=minbase", packages, "bookworm", str(archive))
            subprocess.run(command, check=True, capture_output=True)
        self("import", str(archive), BASE)
        self("import", "--change", 'CMD ["sleep", "infinity"]', str(archive), INFRA)

    def build(self, target: str, **given: str) -> None:
        """Build an image of deploy/docker/Dockerfile. given: settings of its pip.

        Podman forgets a stage's ARG in the stages that begin with it, so pip's settings are variables here.
        """
        dockerfile = ROOT / "deploy" / "docker" / "Dockerfile"
        install = next(line for line in dockerfile.read_text().splitlines() if "ARG PIP_INSTALL=" in line)
        variables = {"PIP_INSTALL": install.partition("=")[2].strip('"'), **given}
        env = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
        options = ("--network", "host", "--build-arg", f"BASE_IMAGE={BASE}", "--target", target)
        name = f"localhost/interview-platform/{target}:0.1.0"
        build = ("build", "--file", str(dockerfile), *options, *env, "--tag", name, str(ROOT))
        self(*build, within_s=1800, is_inside=False)

    def play(self, manifests: list[Manifest]) -> None:
        """Start the pods of these manifests; returns when their init containers have ended."""
        self("kube", "play", "--network", "host", "-", stdin=yaml.safe_dump_all(manifests))

    def log(self) -> str:
        """The last lines of every container."""
        names = self("ps", "--all", "--format", "{{.Names}}").split()
        return "\n".join(f"--- {name}\n{self('logs', '--tail', '15', name)}" for name in names)


@contextlib.contextmanager
def podman(directory: Path, name: str) -> Iterator[Podman]:
    """A podman in a new namespace. At the end its pods are gone; its images stay in the directory."""
    for program in ("podman", "runc", "ip", "nsenter", "mmdebstrap"):
        if not shutil.which(program):
            pytest.skip(f"there is no {program} here")
    if os.geteuid():
        pytest.skip("a namespace needs root")
    directory.mkdir(parents=True, exist_ok=True)
    ip("netns", "add", name)
    made = Podman(directory, Namespace(name, "127.0.0.1"))
    try:
        ip("-n", name, "link", "set", "lo", "up")
        yield made
    finally:
        made("pod", "rm", "--all", "--force", "--time", "0")
        made("volume", "rm", "--all", "--force")
        ip("netns", "delete", name)


def playable(manifests: list[Manifest], name: str, env: Mapping[str, str]) -> list[Manifest]:
    """Return what podman needs of a Deployment or Job: its pod, and the settings as environment.

    Podman 4.3 mounts no secret in a pod, so the files become variables. All pods share one address, so each
    worker has a port of its own (`env`). Init containers that have ended would start again with `Always`.
    """
    pod = pods(manifests)[name]
    config = copy.deepcopy(next(iter(of_kind(manifests, "ConfigMap").values())))
    config["data"] = {key: each for key, each in settings(manifests).items() if not key.endswith("_FILE")}
    config["data"] |= env
    spec: dict[str, Any] = copy.deepcopy(pod.spec) | {"hostNetwork": True, "restartPolicy": "OnFailure"}
    spec["volumes"] = [volume for volume in spec["volumes"] if "secret" not in volume]
    for container in [*spec.get("initContainers", ()), *spec["containers"]]:
        mounts = container["volumeMounts"]
        container["volumeMounts"] = [each for each in mounts if each["name"] not in ("secrets", "owner")]
        container["env"] = [each for each in container.get("env", ()) if not each["name"].endswith("_FILE")]
        container.pop("ports", None)
        for key in NOT_OF_PODMAN:
            container.pop(key, None)
    metadata = {"name": name, "labels": pod.labels}
    return [config, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}]
