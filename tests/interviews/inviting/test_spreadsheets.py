"""Spreadsheets of candidates as people have them: headings in several languages, none, and bad rows."""

import io
import zipfile
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviews.inviting import spreadsheets
from interviews.inviting.spreadsheets import Candidate, Unreadable

TODAY = date(2030, 1, 1)


def read(content, name="candidates.csv"):
    data = content.encode() if isinstance(content, str) else content
    return spreadsheets.read(name, data, today=TODAY)


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "headings",
    [
        "Name,E-Mail",
        "candidate;email address",
        "Kandidat\tE-Mail-Adresse",
        "Nombre completo|Correo",
        "NOM COMPLET,Courriel",
    ],
)
def test_columns_are_found_by_their_headings(headings):
    sign = next(sign for sign in ",;\t|" if sign in headings)
    sheet = read(f"{headings}\nAda Lovelace{sign}ada@example.org\n")
    assert sheet.candidates == [Candidate(2, "Ada Lovelace", "ada@example.org")]
    assert not sheet.problems


def test_first_and_last_names_are_joined():
    sheet = read("Vorname;Nachname;E-Mail\nGrace;Hopper;grace@example.org\n")
    assert sheet.candidates[0].name == "Grace Hopper"


def test_columns_without_headings_are_found_by_what_stands_in_them():
    sheet = read("7,ada@example.org,Ada Lovelace\n8,grace@example.org,Grace Hopper\n")
    assert not sheet.has_headings
    assert [each.name for each in sheet.candidates] == ["Ada Lovelace", "Grace Hopper"]


def test_every_bad_row_says_why_and_the_others_stay():
    sheet = read(
        "name,email,deadline\n"
        "Ada,ada@example.org,2030-02-01\n"
        ",,2030-02-01\n"
        "Bob,bob@example,\n"
        "Ada again,ADA@example.org,\n"
        "Cid,cid@example.org,tomorrow\n"
        "Dan,dan@example.org,31.12.2029\n"
        "Eve,,28.02.2030\n"
    )
    assert [(each.line, each.name, each.expires_on) for each in sheet.candidates] == [
        (2, "Ada", date(2030, 2, 1)),
        (8, "Eve", date(2030, 2, 28)),
    ]
    reasons = {each.line: each.reason for each in sheet.problems}
    assert set(reasons) == {3, 4, 5, 6, 7}
    assert "no name" in reasons[3]
    assert "no e-mail address" in reasons[4]
    assert "line 2" in reasons[5]
    assert "no date" in reasons[6]
    assert "has passed" in reasons[7]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_of_spreadsheet_programs(encoding):
    sheet = read("Name,E-Mail\nJürgen Müller,j@example.org\n".encode(encoding))
    assert sheet.candidates[0].name == "Jürgen Müller"


def test_workbook_with_dates_and_empty_rows():
    content = workbook(
        ["Name", "Email", "Deadline"], [], ["Ada", "ada@example.org", date(2030, 3, 1)], [None, None]
    )
    assert read(content, "a.xlsx").candidates == [Candidate(3, "Ada", "ada@example.org", date(2030, 3, 1))]


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "a.csv", "empty"),
        (b"\n\n ,\n", "a.csv", "empty"),
        (b"x" * (5 * 1024**2 + 1), "a.csv", "larger than 5 MB"),
        (b"\x00\x01\x02" * 50, "a.csv", "neither a CSV"),
        (b"name,email\n", "a.xls", "no XLSX file"),
        (b"PK\x03\x04 broken", "a.xlsx", "damaged"),
        (b"1,2\n3,4\n", "a.csv", "No column of names"),
        (b"name\n" + b"Ada\n" * 5001, "a.csv", "more than 5000 rows"),
    ],
)
def test_file_that_cannot_be_used_says_why(content, name, reason):
    with pytest.raises(Unreadable, match=reason):
        read(content, name)


def test_workbook_that_grows_when_it_is_unpacked_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b" " * (101 * 1024**2))
    with pytest.raises(Unreadable, match="too large"):
        read(file.getvalue(), "a.xlsx")


@given(st.binary(max_size=400))
def test_any_file_is_read_or_refused(content):
    try:
        sheet = read(b"name,email\n" + content)
    except Unreadable:
        return
    lines = [each.line for each in (*sheet.candidates, *sheet.problems)]
    assert len(lines) == len(set(lines))
