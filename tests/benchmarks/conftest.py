"""Figures of one run, printed as a table at its end. Machines are noisy, so no figure fails a test."""

import json
from dataclasses import asdict, dataclass

import pytest

_figures: list["Figure"] = []


@dataclass(frozen=True)
class Figure:
    """One measured value; `target` describes the goal in words."""

    name: str
    value: float
    unit: str
    target: str = ""


@pytest.fixture
def figure():
    """A function that records a figure: figure(name, value, unit, target="")."""
    return lambda *fields, **named: _figures.append(Figure(*fields, **named))


def pytest_terminal_summary(terminalreporter) -> None:
    if not _figures:
        return
    width = max(len(f.name) for f in _figures)
    terminalreporter.section("figures")
    for f in _figures:
        terminalreporter.write_line(f"{f.name:<{width}}  {f.value:10.3f} {f.unit:<6} {f.target}")


def pytest_sessionfinish(session) -> None:
    """Save the figures as JSON too, for docs/performance.md."""
    if _figures:
        path = session.config.rootpath / "var" / "bench.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps([asdict(f) for f in _figures], indent=1))
