"""Read candidates from a CSV or XLSX file.

    sheet = read("candidates.xlsx", content)           # Unreadable: what is wrong with the file
    sheet.candidates, sheet.problems                   # good rows, and why others are not

The columns are found by their headings in several languages; without headings, by what stands in them.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from interviews.actions.batches import Candidate, Problem

MAX_BYTES: Final = 5 * 1024**2
MAX_ROWS: Final = 5000
MAX_COLUMNS: Final = 50
MAX_UNPACKED_BYTES: Final = 100 * 1024**2
"""Of an XLSX file, which is a ZIP file."""
LONGEST_NAME: Final = 200

Column = Literal["name", "first_name", "last_name", "email", "expires"]

HEADINGS: Final[Mapping[Column, tuple[str, ...]]] = {
    "name": (
        *("name", "full name", "candidate", "candidate name", "applicant", "display name"),
        *("vollständiger name", "kandidat", "kandidatin", "bewerber", "bewerberin"),
        *("nombre completo", "nombre y apellidos", "candidato", "candidata"),
        *("nom complet", "nom et prénom", "candidat", "candidate"),
    ),
    "first_name": ("first name", "given name", "firstname", "vorname", "nombre", "prénom", "prenom"),
    "last_name": (
        *("last name", "family name", "surname", "lastname", "nachname", "familienname"),
        *("apellido", "apellidos", "nom", "nom de famille"),
    ),
    "email": (
        *("email", "e-mail", "mail", "email address", "e-mail address", "mail address", "e-mail-adresse"),
        *("emailadresse", "correo", "correo electrónico", "courriel", "adresse e-mail", "adresse mail"),
    ),
    "expires": (
        *("expires", "expiry", "deadline", "until", "valid until", "due", "due date"),
        *("frist", "gültig bis", "ablauf", "fecha límite", "vence", "date limite", "échéance"),
    ),
}


class Unreadable(Exception):
    """The file cannot be read. The message says why, and what to do."""


@dataclass(slots=True)
class Sheet:
    """What a file holds. columns: the number of each column that was found, from 0."""

    columns: dict[Column, int]
    has_headings: bool
    candidates: list[Candidate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(file_name: str, content: bytes, *, today: date) -> Sheet:
    """Read candidates, with at most `MAX_ROWS` rows.

    Raises:
        Unreadable: too large, neither CSV nor XLSX, or without a column of names or addresses.
    """
    if len(content) > MAX_BYTES:
        raise Unreadable(_("The file is larger than %d MB. Split it.") % (MAX_BYTES // 1024**2))
    is_workbook = content[:4] == b"PK\x03\x04"
    if not is_workbook and file_name.lower().endswith((".xlsx", ".xls", ".ods", ".numbers")):
        raise Unreadable(_("This is no XLSX file. Save the spreadsheet as XLSX or as CSV."))
    rows = list(_numbered(_of_workbook(content) if is_workbook else _of_csv(content)))
    if not rows:
        raise Unreadable(_("The file is empty."))
    if len(rows) > MAX_ROWS + 1:
        raise Unreadable(
            ngettext("It has more than %d row. Split it.", "It has more than %d rows. Split it.", MAX_ROWS)
            % MAX_ROWS
        )
    sheet = _described(rows)
    if "email" not in sheet.columns and not sheet.columns.keys() & {"name", "first_name", "last_name"}:
        raise Unreadable(_("No column of names or e-mail addresses was found. Give the columns headings."))
    seen: dict[str, int] = {}
    for line, cells in rows[1:] if sheet.has_headings else rows:
        _add(sheet, line, cells, seen, today)
    return sheet


def _numbered(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, list[Any]]]:
    """Yield rows that hold something, with their line."""
    for line, cells in enumerate(rows, start=1):
        cells = [_clean(cell) for cell in cells[:MAX_COLUMNS]]
        if any(cell != "" for cell in cells):
            yield line, cells
        if line > 2 * MAX_ROWS:
            return


def _clean(cell: Any) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    return " ".join(str(cell).split())


def _of_workbook(content: bytes) -> Iterator[Sequence[Any]]:
    """Yield the rows of the first sheet."""
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED_BYTES:
                raise Unreadable(_("The spreadsheet is too large. Copy the candidates into a new one."))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        yield from sheet.iter_rows(max_col=MAX_COLUMNS, max_row=2 * MAX_ROWS, values_only=True)
    except Unreadable:
        raise
    except Exception as error:  # a damaged file raises anything
        raise Unreadable(
            _("The spreadsheet is damaged, or has a password. Save it again as XLSX.")
        ) from error


def _of_csv(content: bytes) -> Iterator[Sequence[str]]:
    if b"\0" in content[:1000] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(_("This is neither a CSV nor an XLSX file."))
    text = _decoded(content)
    delimiter = _delimiter(text)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise Unreadable(_("The CSV file cannot be read (%s). Save it again.") % error) from error


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # what spreadsheet programs write on Windows


def _delimiter(text: str) -> str:
    """Return the delimiter that is as frequent in every one of the first lines."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    counts = {sign: [line.count(sign) for line in lines] for sign in ",;\t|"}
    regular = {sign: min(each) for sign, each in counts.items() if each}
    best = max(regular, key=lambda sign: regular[sign], default=",")
    return best if regular.get(best) else ","


def _described(rows: Sequence[tuple[int, list[Any]]]) -> Sheet:
    headings = _by_heading(rows[0][1])
    if headings:
        return Sheet(headings, has_headings=True)
    return Sheet(_by_content([cells for _line, cells in rows[:50]]), has_headings=False)


def _by_heading(cells: Sequence[Any]) -> dict[Column, int]:
    known = {heading: column for column, names in HEADINGS.items() for heading in names}
    found: dict[Column, int] = {}
    for number, cell in enumerate(cells):
        heading = re.sub(r"[\s_*:]+", " ", str(cell)).strip().casefold()
        column = known.get(heading)
        if column and column not in found:
            found[column] = number
    return found


def _by_content(rows: Sequence[Sequence[Any]]) -> dict[Column, int]:
    """Find the addresses, and names beside them."""
    width = max(map(len, rows))
    columns = [[str(row[number]) for row in rows if number < len(row)] for number in range(width)]
    addresses = Counter(
        {number: sum(map(_looks_like_address, cells)) for number, cells in enumerate(columns)}
    )
    found: dict[Column, int] = {}
    [(number, count)] = addresses.most_common(1)
    if 2 * count >= len(rows):
        found["email"] = number
    words = Counter(
        {
            other: sum(any(char.isalpha() for char in cell) for cell in cells)
            for other, cells in enumerate(columns)
            if other != found.get("email")
        }
    )
    if words and words.most_common(1)[0][1]:
        found["name"] = min(words, key=lambda other: (-words[other], other))
    return found


def _looks_like_address(cell: str) -> bool:
    return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", cell) is not None


def _add(sheet: Sheet, line: int, cells: list[Any], seen: dict[str, int], today: date) -> None:
    def cell(column: Column) -> Any:
        number = sheet.columns.get(column)
        return cells[number] if number is not None and number < len(cells) else ""

    email = str(cell("email"))
    parts = [str(cell(part)) for part in ("first_name", "last_name")]
    name = str(cell("name")) or " ".join(part for part in parts if part) or email.partition("@")[0]
    shown = " · ".join(part for part in (name, email) if part)
    expires_on, reason = _day(cell("expires"), today)
    reason = reason or _reason(name, email)
    if not reason and email and (earlier := seen.setdefault(email.casefold(), line)) != line:
        reason = _("The same address stands in line %d.") % earlier
    if reason:
        sheet.problems.append(Problem(line, shown, reason))
    else:
        sheet.candidates.append(Candidate(line, name, email, expires_on))


def _reason(name: str, email: str) -> str:
    if not name:
        return _("There is no name.")
    if len(name) > LONGEST_NAME:
        return _("The name is longer than %d characters.") % LONGEST_NAME
    if any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in name + email):
        return _("It holds control characters.")
    try:
        if email:
            validate_email(email)
    except ValidationError:
        return _("“%s” is no e-mail address.") % email
    return ""


def _day(cell: Any, today: date) -> tuple[date | None, str]:
    """Return the last day that a cell names, and what is wrong with it."""
    if cell == "":
        return None, ""
    day = cell if isinstance(cell, date) else _parsed_day(str(cell))
    if day is None:
        return None, _("“%s” is no date. Write it as 2030-12-31.") % cell
    if day < today:
        return None, _("The date %s has passed.") % day.isoformat()
    return day, ""


def _parsed_day(text: str) -> date | None:
    """Return the day of "2030-12-31" or "31.12.2030"; other forms mean different days in different places."""
    if found := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        text = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    try:
        return parse_date(text[:10])
    except ValueError:
        return None
