"""Node.js, which runs modules of the pages in tests."""

import shutil
import subprocess

import pytest

NODE = shutil.which("node") or ""


def _can_run_modules() -> bool:
    """Whether node takes a plain .js file for an ES module: 20.19, 22.12 and later do."""
    if not NODE:
        return False
    version = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = (int(part) for part in version.lstrip("v").split(".")[:2])
    return major >= 23 or (major, minor) >= (22, 12) or (major == 20 and minor >= 19)


needs_node = pytest.mark.skipif(
    not _can_run_modules(), reason="no node that runs ES modules (20.19 or later)"
)
