"""The manifests of deploy/kubernetes, rendered as an operator renders them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[3]
MANIFESTS = ROOT / "deploy" / "kubernetes"
TOOLS = ROOT / ".venv-tools" / "bin"
"""What .ci/run installs apart from the project (tools.txt)."""
OVERLAYS = ("cpu", "gpu", "spot", "region", "claim")
"""Those of deploy/kubernetes/overlays, and the first with the component models-claim."""
Manifest = dict[str, Any]


class Pod(NamedTuple):
    """A pod that a Deployment, Job or CronJob makes."""

    owner: str
    kind: str
    labels: dict[str, str]
    spec: Manifest

    @property
    def container(self) -> Manifest:
        """The one that does the work; the others begin before it and end."""
        (only,) = self.spec["containers"]
        return only

    @property
    def every_container(self) -> list[Manifest]:
        return [*self.spec.get("initContainers", ()), self.container]

    @property
    def lists(self) -> list[str]:
        """The queues that its command names."""
        _, is_worker, named = " ".join(self.container["args"]).partition(" voiceworker ")
        return named.partition(" --")[0].split() if is_worker else []


def kubectl() -> str | None:
    """Return the path of a kubectl, which contains kustomize."""
    return shutil.which("kubectl") or shutil.which("kubectl", path=TOOLS)


def copied(directory: Path) -> Path:
    """Return a copy of the manifests with the example's secrets filled in."""
    copy = directory / "kubernetes"
    shutil.copytree(MANIFESTS, copy, ignore=shutil.ignore_patterns("secret.env", "owner.env"))
    for place in ("base", "overlays/region"):
        for name in ("secret.env", "owner.env"):
            shutil.copy(copy / "base" / f"{name}.example", copy / place / name)
    _add_overlay(copy, "claim", component="models-claim")
    _add_overlay(copy, "backups", component="backups")
    return copy


def _add_overlay(copy: Path, name: str, *, component: str) -> None:
    """Make an overlay of `cpu` and one more component, as an operator adds it."""
    cpu = yaml.safe_load((copy / "overlays" / "cpu" / "kustomization.yaml").read_text())
    cpu["components"].append(f"../../components/{component}")
    (copy / "overlays" / name).mkdir()
    (copy / "overlays" / name / "kustomization.yaml").write_text(yaml.safe_dump(cpu))


def rendered(folder: Path) -> list[Manifest]:
    """Return what kustomize makes of a folder."""
    program = kubectl()
    assert program
    command = [program, "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader))


def of_kind(manifests: list[Manifest], kind: str, name: str = "") -> dict[str, Manifest]:
    """Return the manifests of a kind by their names, those that begin with `name`."""
    found = {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}
    return {key: each for key, each in found.items() if key.startswith(name)}


def settings(manifests: list[Manifest]) -> dict[str, str]:
    """Return what all containers have in their environment."""
    (config,) = of_kind(manifests, "ConfigMap").values()
    return config["data"]


def pods(manifests: list[Manifest]) -> dict[str, Pod]:
    """Return every pod by the name of what makes it."""
    return {pod.owner: pod for pod in _pods(manifests)}


def _pods(manifests: list[Manifest]) -> Iterator[Pod]:
    for each in manifests:
        spec = each.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if each["kind"] in ("Deployment", "Job", "CronJob"):
            yield Pod(
                each["metadata"]["name"], each["kind"], template["metadata"]["labels"], template["spec"]
            )
