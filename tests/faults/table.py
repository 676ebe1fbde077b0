"""The table of faults: printed after the run, and kept as var/faults.json and var/faults.md.

A plugin of pytest. A row travels with its test's report: with several processes, another one prints it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

PROPERTY = "fault"
VAR = Path(__file__).resolve().parents[2] / "var"
HEAD = (
    "| fault | candidates | seen by the candidate | lost | duplicates | seconds to recover |",
    "|---|---|---|---|---|---|",
)


@dataclass(frozen=True, slots=True)
class Row:
    """The results of one fault.

    lost: answers whose stored samples differ from the speech, or whose transcript is missing.
    duplicates: recordings and transcripts beyond one for each answer.
    recover_s: from the end of the fault until full recovery; None if nothing had to recover.
    """

    fault: str
    candidates: int
    seen: str
    lost: int
    duplicates: int
    recover_s: float | None

    @property
    def markdown(self) -> str:
        """The row as a line of Markdown."""
        recover = "-" if self.recover_s is None else f"{self.recover_s:.1f}"
        cells = (self.fault, self.candidates, self.seen, self.lost, self.duplicates, recover)
        return f"| {' | '.join(map(str, cells))} |"


def add(item: pytest.Item, row: Row) -> None:
    """Put the row of that test into the table."""
    item.user_properties.append((PROPERTY, asdict(row)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for found in terminalreporter.stats.values() for report in found]
    properties = [
        found
        for report in reports
        if getattr(report, "when", "") == "call"
        for found in report.user_properties
    ]
    if rows := [Row(**fields) for name, fields in properties if name == PROPERTY]:
        terminalreporter.section("faults")
        for line in lines(rows):
            terminalreporter.write_line(line)
        keep(rows)


def lines(rows: Iterable[Row]) -> list[str]:
    """The table in Markdown."""
    return [*HEAD, *(row.markdown for row in rows)]


def keep(rows: Iterable[Row]) -> None:
    """Save the rows, and keep those of other faults from earlier runs."""
    file = VAR / "faults.json"
    earlier = json.loads(file.read_text()) if file.exists() else []
    by_fault = {row["fault"]: row for row in earlier} | {row.fault: asdict(row) for row in rows}
    VAR.mkdir(exist_ok=True)
    file.write_text(json.dumps(list(by_fault.values()), indent=2) + "\n")
    kept = lines(Row(**row) for row in by_fault.values())
    (VAR / "faults.md").write_text("\n".join(kept) + "\n")
