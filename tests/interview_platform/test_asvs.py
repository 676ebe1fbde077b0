"""The table of docs/asvs.md names every requirement once, and files that exist."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "asvs.md").read_text()
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", TEXT, re.M)
OF_CHAPTERS = {
    1: 27,
    2: 11,
    3: 19,
    4: 10,
    5: 9,
    6: 35,
    7: 18,
    8: 7,
    9: 7,
    10: 29,
    11: 14,
    12: 9,
    13: 13,
    14: 9,
    15: 13,
    16: 16,
    17: 7,
}
"""How many requirements of levels 1 and 2 each chapter of ASVS 5.0.0 has."""


def test_each_requirement_stands_there_once():
    ids = [row[0] for row in ROWS]
    assert len(ids) == len(set(ids))
    assert Counter(int(each.split(".")[0]) for each in ids) == OF_CHAPTERS


def test_each_verdict_is_one_of_three_and_has_its_reason():
    counts = Counter(verdict for _id, _about, verdict, _where in ROWS)
    assert set(counts) == {"met", "**not met**", "not applicable"}
    told = f"{counts['met']} met, {counts['**not met**']} not met, {counts['not applicable']} not applicable"
    assert told in " ".join(TEXT.split())
    assert all(where.strip() for *_others, where in ROWS)


def test_what_is_met_names_a_file_that_exists():
    met = {number: where for number, _about, verdict, where in ROWS if verdict == "met"}
    links = {number: re.fullmatch(r"\[(\S+)\]\(\.\./(\S+)\)", where) for number, where in met.items()}
    assert not [number for number, link in links.items() if link is None or link[1] != link[2]]
    assert not [number for number, link in links.items() if link and not (ROOT / link[2]).exists()]
