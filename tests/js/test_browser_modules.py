"""The browser's pure modules, tested by node's own test runner where there is a node."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.node import NODE, needs_node

HERE = Path(__file__).parent


@needs_node
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
