"""Import directions of ARCHITECTURE.md; the contracts are in pyproject.toml."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import pytest
from django.contrib import admin

from voice import defaults
from voice.engines import defaults as engines
from voice.engines import registry

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURE = ROOT / "ARCHITECTURE.md"


def test_imports_point_down():
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
    ]
    result = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("app", ["voice", "interviews"])
def test_architecture_names_each_room_once(app):
    rows = rows_of(app)
    named = [name for first, _files in rows for name in first]
    rooms = {
        folder.name
        for folder in (ROOT / app).iterdir()
        if any(folder.glob("*.py")) and folder.name != "migrations"
    }
    assert sorted(named) == sorted(set(named))
    assert rooms <= {name.partition("/")[0] for name in named}


def test_architecture_names_each_file_of_the_product():
    unnamed = [
        f"{room}/{file.name}"
        for first, files in rows_of("interviews")
        for room in first
        for file in (ROOT / "interviews" / room).glob("[!_]*.py")
        if file.stem not in files
    ]
    assert unnamed == []


def rows_of(app: str) -> list[tuple[list[str], set[str]]]:
    """Return the rows of an app's table: what stands first in each, and the names in the others."""
    table = ARCHITECTURE.read_text().partition(f"### {app}/\n")[2].partition("\n#")[0]
    cells = [line.partition(" | ") for line in table.splitlines() if line.startswith("| `")]
    return [
        ([name.rstrip("/") for name in re.findall(r"`([^`]+)`", first)], set(re.findall(r"`(\w+)`", others)))
        for first, _bar, others in cells
    ]


def test_every_setting_of_the_speech_service_has_a_default_of_its_own():
    read, keys = set(), set()
    for file in (ROOT / "voice").rglob("*.py"):
        source = file.read_text()
        read |= set(re.findall(r"\bsettings\.([A-Z][A-Z0-9_]+)", source))
        keys |= set(re.findall(r"\bsettings\.VOICE\[\"(\w+)\"\]", source))

    of_django = {"DATA_UPLOAD_MAX_MEMORY_SIZE"}
    assert read - of_django == {*defaults.APART, *defaults.STORES, "VOICE", "RQ_QUEUES"}
    assert keys <= {*engines.SETTINGS, *defaults.SERVICE, *defaults.ADDRESSES, *defaults.ENCRYPTION, "CLOUD"}


def test_only_the_engines_know_their_names():
    names = {*registry._RECOGNITION, *registry._SYNTHESIS}
    beginnings = tuple(f"{name}:" for name in names)  # of the ids of their voices
    named = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.value}"
        for package in ("voice", "interviews", "interview_platform")
        for file in sorted((ROOT / package).rglob("*.py"))
        if ROOT / "voice" / "engines" not in file.parents and file.parent.name != "migrations"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value in names or node.value.startswith(beginnings)
    ]

    assert len(names) == 13
    assert named == []


def test_pages_that_make_up_one_admin_hide_no_method_of_each_other():
    """An admin is made of the pages of several rooms, which know nothing of each other."""
    hidden = set()
    for page in admin.site._registry.values():
        own: dict[str, type] = {}
        for kind in type(page).__mro__:
            if not kind.__module__.startswith(("accounts.", "interviews.", "voice.")):
                continue
            for name, method in vars(kind).items():
                if not isinstance(method, FunctionType) or not name.startswith("_") or name.endswith("__"):
                    continue
                first = own.setdefault(name, kind)
                if not issubclass(first, kind):
                    hidden.add(f"{first.__name__} hides {name} of {kind.__name__}")
    assert hidden == set()
