"""The table of docs/security.md: for each address and method, which visitors are admitted."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "security.md"
YES, NO = "yes", "–"


class Row(NamedTuple):
    """method: GET, POST, DELETE, WS or ACTION; address: a pattern in which `*` stands for anything."""

    method: str
    address: str
    admitted: frozenset[str]


def read(text: str) -> tuple[list[str], list[Row]]:
    """Return the visitors, in the order of the columns, and the rows of the first table with addresses."""
    lines = [
        [cell.strip() for cell in line.strip("| \n").split("|")] for line in text.splitlines() if "|" in line
    ]
    start = next(n for n, cells in enumerate(lines) if cells[0] == "Address")
    visitors = lines[start][1:]
    return visitors, [row for cells in lines[start + 2 :] for row in _rows(cells, visitors)]


def _rows(cells: list[str], visitors: list[str]) -> list[Row]:
    name = cells[0].strip("`")
    methods, address = (
        (["ACTION"], name.removeprefix("ACTION ")) if name.startswith("ACTION") else _split(name)
    )
    assert len(cells) == len(visitors) + 1, f"the row of {address} has another number of columns"
    assert set(cells[1:]) <= {YES, NO}, f"the row of {address} holds something else than {YES} and {NO}"
    admitted = frozenset(visitor for visitor, cell in zip(visitors, cells[1:], strict=True) if cell == YES)
    return [Row(method, address, admitted) for method in methods]


def _split(name: str) -> tuple[list[str], str]:
    *methods, address = name.split()
    return methods, address


def find(rows: Iterable[Row], method: str, address: str) -> list[Row]:
    """Return the rows about this method of this address."""
    return [row for row in rows if row.method == method and fnmatchcase(address, row.address)]
