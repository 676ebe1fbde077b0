"""A table of adapters by behaviour, printed after a run of `pytest tests/contracts`."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
# direction -> behaviour -> adapter -> worst outcome of its cases
_table: dict[str, dict[str, dict[str, str]]] = {}
_order = ("passed", "skipped", "failed")
_signs = {"passed": "pass", "skipped": "skip", "failed": "FAIL"}
_is_shown = False


def pytest_collection_finish(session: pytest.Session) -> None:
    global _is_shown
    _is_shown = bool(session.items) and all(HERE in item.path.parents for item in session.items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    adapter = getattr(item, "callspec", None) and item.callspec.params.get("adapter")
    if adapter and (report.when == "call" or report.outcome != "passed"):
        direction = "recognition" if "recognition" in item.path.name else "synthesis"
        behaviour = item.originalname.removeprefix("test_").replace("_", " ")
        row = _table.setdefault(direction, {}).setdefault(behaviour, {})
        row[adapter] = max(row.get(adapter, "passed"), report.outcome, key=_order.index)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _is_shown:
        return
    for direction, rows in sorted(_table.items()):
        terminalreporter.section(f"contract of {direction}")
        for line in _markdown(direction, rows):
            terminalreporter.write_line(line)


def _markdown(direction: str, rows: dict[str, dict[str, str]]) -> list[str]:
    adapters = list(dict.fromkeys(adapter for row in rows.values() for adapter in row))
    lines = [f"| {direction} | {' | '.join(adapters)} |", "|---" * (len(adapters) + 1) + "|"]
    for behaviour, row in rows.items():
        cells = (_signs.get(row.get(adapter, ""), "n/a") for adapter in adapters)
        lines.append(f"| {behaviour} | {' | '.join(cells)} |")
    return lines


@pytest.fixture(autouse=True)
def _nothing_to_complain_of(request):
    """Check that every request to a vendor follows its documentation."""
    yield
    adapter = request.node.funcargs.get("adapter")
    if adapter and adapter.vendor:
        adapter.vendor.mood = ""
        assert adapter.vendor.complaints == []


@pytest.fixture
def engine(adapter):
    return adapter.engine
