import csv
import io
from datetime import UTC, datetime

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from interviews.exports import tables

HEADER = ["name", "number", "time"]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://evil.example")', "＝1+1"]
SHOWN = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=50)


def read_csv(rows) -> list[list[str]]:
    with tables.write_csv(HEADER, rows) as file:
        file.seek(0)
        return list(csv.reader(io.StringIO(file.read().decode("utf-8-sig"), newline="")))


def read_xlsx(rows) -> list[list]:
    with tables.write_xlsx(HEADER, rows) as file:
        sheet = load_workbook(file).active
        return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_csv_begins_with_the_signature_that_excel_knows():
    with tables.write_csv(HEADER, []) as file:
        file.seek(0)
        assert file.read().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("formula", FORMULAS)
def test_csv_has_no_formula(formula):
    assert read_csv([[formula, 1, None]])[1] == [f"'{formula}", "1", ""]


@pytest.mark.parametrize("formula", FORMULAS)
def test_xlsx_has_no_formula(formula):
    with tables.write_xlsx(HEADER, [[formula, 1, None]]) as file:
        cell = load_workbook(file).active["A2"]
    assert (cell.value, cell.data_type) == (formula, "s")


def test_negative_numbers_stay_numbers():
    assert read_csv([["a", -1, None]])[1][1] == "-1"
    assert read_xlsx([["a", -1, None]])[1][1] == -1


def test_times_are_of_the_time_zone_of_the_request():
    time = datetime(2026, 7, 1, 22, 30, 15, 999, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        assert read_csv([["a", 1, time]])[1][2] == "2026-07-02 00:30:15"
        assert read_xlsx([["a", 1, time]])[1][2] == datetime(2026, 7, 2, 0, 30, 15)  # noqa: DTZ001


def test_xlsx_without_rows_has_its_header():
    assert read_xlsx([]) == [HEADER]


def test_xlsx_goes_on_in_a_further_sheet(monkeypatch):
    monkeypatch.setattr(tables, "SHEET_ROWS", 3)
    with tables.write_xlsx(HEADER, [["a", n, None] for n in range(5)]) as file:
        book = load_workbook(file)
    assert [[row[1].value for row in sheet.iter_rows(min_row=2)] for sheet in book] == [[0, 1], [2, 3], [4]]


def test_xlsx_marks_what_it_cannot_hold():
    [_, [text, control, *_others]] = read_xlsx([["x" * 40_000, "a\x0b\uffffb", None]])
    assert len(text) == 32_767
    assert text.endswith("…")
    assert control == "a\ufffd\ufffdb"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(SHOWN, st.integers(-9, 10**9)), max_size=5))
def test_both_are_read_back_equal(rows):
    plain = [[text, number] for text, number in rows]
    assert [[row[0] or "", row[1]] for row in read_xlsx([*plain])[1:]] == plain
    back = [[text.removeprefix("'") if text[1:].startswith(tables.FORMULA) else text, int(number)]
            for text, number, *_ in read_csv(plain)[1:]]  # fmt: skip
    assert back == plain
