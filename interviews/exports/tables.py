"""Tables as CSV and XLSX files. What people wrote stays text: a spreadsheet never takes it for a formula.

Rows go to a temporary file one after the other, so a table of any length needs the same memory.

Source: OWASP, "CSV Injection", for the characters that begin a formula.
"""

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import IO, Any, Final, NamedTuple

from django.utils import timezone

Cell = str | int | float | datetime | date | None
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
XLSX_CELL: Final = 32_767
"""Characters that a cell of XLSX holds at most."""
SHEET_ROWS: Final = 1_048_576
NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Source: XML 1.0, production 2 (Char); a text of PostgreSQL has no surrogates."""
INSTEAD: Final = "\ufffd"


class Kind(NamedTuple):
    """A form of a table: how it is written, and what browsers call it."""

    write: Callable[[Sequence[str], Iterable[Sequence[Cell]]], IO[bytes]]
    content_type: str


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> IO[bytes]:
    """Return an open CSV file: UTF-8 with a signature, by which Excel knows it; every text is quoted.

    A text that begins like a formula gets an apostrophe in front.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(header)
    writer.writerows([_in_csv(cell) for cell in row] for row in rows)
    return text.detach()


def _in_csv(cell: Cell) -> Any:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA) else cell
    if isinstance(cell, datetime):
        return _local(cell).isoformat(" ", "seconds")
    return "" if cell is None else cell


def write_xlsx(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> IO[bytes]:
    """Return an open XLSX file. Texts are cells of text, whatever they begin with."""
    from openpyxl import Workbook  # 0.15 s that processes which write no table need not spend

    book = Workbook(write_only=True)
    sheet: Any = None
    for number, row in enumerate(rows):
        if number % (SHEET_ROWS - 1) == 0:
            sheet = _new_sheet(book, header)
        sheet.append([_in_xlsx(sheet, cell) for cell in row])
    if sheet is None:
        _new_sheet(book, header)
    file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    book.save(file)
    return file


def _new_sheet(book: Any, header: Sequence[str]) -> Any:
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([_in_xlsx(sheet, title) for title in header])
    return sheet


def _in_xlsx(sheet: Any, value: Cell) -> Any:
    if isinstance(value, datetime):
        return _local(value)
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell

    text = NOT_IN_XML.sub(INSTEAD, value)
    cell = WriteOnlyCell(sheet, text if len(text) <= XLSX_CELL else f"{text[: XLSX_CELL - 1]}…")
    cell.data_type = "s"  # openpyxl takes a text that begins with "=" for a formula
    return cell


def _local(time: datetime) -> datetime:
    """Return the time as spreadsheets know times, without a time zone; the header names it."""
    return timezone.make_naive(time).replace(microsecond=0)


KINDS: Final[Mapping[str, Kind]] = {
    "csv": Kind(write_csv, "text/csv; charset=utf-8"),
    "xlsx": Kind(write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
