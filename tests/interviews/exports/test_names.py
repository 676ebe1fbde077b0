from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviews.exports import names


@pytest.mark.parametrize(
    ("written", "safe"),
    [
        *(("Zoë Brontë", "Zoë Brontë"), ("Müller-Lüdenscheidt, Dr.", "Müller-Lüdenscheidt, Dr")),
        *(("अदिति", "अदिति"), ("山田太郎", "山田太郎"), ("O’Neil", "O’Neil")),
        *(("a/b\\c", "a b c"), ("../..", "unnamed"), ("", "unnamed"), ("\u202egnp.exe", "gnp.exe")),
        *(("CON", "_CON"), ("aux.txt", "_aux.txt"), ("contents", "contents"), ("x" * 99, "x" * 60)),
    ],
)
def test_name_is_safe_and_readable(written, safe):
    assert names.safe(written) == safe


@given(st.text())
def test_any_name_is_one_part_of_a_path(text):
    name = names.safe(text)
    assert name
    assert name == name.strip(" .")
    assert not set(name) & set('/\\:*?"<>|\0\r\n\t')
    assert len(name.encode()) <= 250


def test_candidates_of_one_name_get_different_files():
    first, second = (names.of_candidate("Ada", UUID(int=n << 96)) for n in (1, 2))
    assert first != second
