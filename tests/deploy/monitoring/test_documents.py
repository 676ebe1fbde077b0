"""The commands of docs/monitoring.md do what it says."""

import re
import shutil
import subprocess

import pytest
import yaml

from tests.deploy.monitoring.expressions import DASHBOARDS, ROOT, RULES

DOCUMENT = ROOT / "docs" / "monitoring.md"
KUBECTL = """#!/bin/sh
if [ "$3" = apply ]; then { echo ---; cat; } >> "$APPLIED"; else echo "$*" >> "$ASKED"; fi
"""


@pytest.fixture
def followed(tmp_path, monkeypatch):
    """Run the block about Kubernetes with a `kubectl` that keeps what it is given: (objects, commands)."""
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    block = next(block for block in blocks if "PrometheusRule" in block)
    applied, asked = tmp_path / "applied", tmp_path / "asked"
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("APPLIED", str(applied))
    monkeypatch.setenv("ASKED", str(asked))
    subprocess.run([shutil.which("bash"), "-euc", block], cwd=ROOT, check=True)
    return list(yaml.safe_load_all(applied.read_text())), asked.read_text().splitlines()


def test_rules_become_objects_of_the_operator(followed):
    objects, _ = followed
    files = {f"interviews-{file.stem}": yaml.safe_load(file.read_text()) for file in RULES.glob("*.yml")}

    assert {rule["metadata"]["name"]: rule["spec"] for rule in objects} == files
    assert {(rule["apiVersion"], rule["kind"]) for rule in objects} == {
        ("monitoring.coreos.com/v1", "PrometheusRule")
    }


def test_dashboards_go_to_grafana(followed):
    _, commands = followed

    assert "--from-file grafana/dashboards" in commands[0]
    assert commands[1].endswith("grafana_dashboard=1")
    assert list(DASHBOARDS.glob("*.json"))


def test_every_link_leads_to_a_page():
    pages = [DOCUMENT, *(ROOT / "docs" / "runbooks").glob("*.md")]
    broken = [
        (page.name, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text())
        if not link.startswith("http") and not (page.parent / link).exists()
    ]
    assert broken == []
