"""The browser's pure modules, tested by node's own test runner where there is a node."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE = shutil.which("node")


def _node_can_run_modules() -> bool:
    """Whether node takes a plain .js file for an ES module: 20.19, 22.12 and later do."""
    if NODE is None:
        return False
    version = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = (int(part) for part in version.lstrip("v").split(".")[:2])
    return major >= 23 or (major, minor) >= (22, 12) or (major == 20 and minor >= 19)


@pytest.mark.skipif(not _node_can_run_modules(), reason="no node that runs ES modules (20.19 or later)")
@pytest.mark.parametrize("module", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_browser_module(module: str) -> None:
    command = [NODE, "--no-warnings", "--import", "./static.mjs", "--test", module]
    run = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_module_that_an_import_names_is_there():
    static = [HERE.parents[1] / app / "static" for app in ("voice", "interviews")]
    missing = [
        f"{file.relative_to(root)}: {name}"
        for root in static
        for file in root.rglob("*.js")
        for name in re.findall(r'from "(\.[^"]+)"', file.read_text())
        if not any(
            (other / os.path.normpath(file.relative_to(root).parent / name)).exists() for other in static
        )
    ]
    assert missing == []
