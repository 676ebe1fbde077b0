"""What differs between two texts is found in bounded time, also where a text is made to take long."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.text import differences
from voice.text.differences import MOST_PAIRS, Part, compared

WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=14)
NUMBERED = [f"w{number}" for number in range(1500)]
FILLED = [word for number in range(1500) for word in (f"v{number}", "x")]
ANCHORED = [word for number in range(30) for word in [f"w{number}", *("la" for _ in range(60))]]
ANCHORED_OTHERWISE = [word for number in range(30) for word in [f"w{number}", *("la", "lo") * 20]]


def changed(before, after):
    """Return what stands in each text where they differ."""
    found = (part for part in compared(before, after) if not part.is_same)
    return [(" ".join(before[part.before]), " ".join(after[part.after])) for part in found]


@pytest.fixture
def pairs(monkeypatch):
    """Numbers of pairs of words of the stretches that are compared each with each."""
    found: list[int] = []

    class Recorded(differences.SequenceMatcher):
        def __init__(self, a, b, **options):
            found.append(len(a) * len(b))
            super().__init__(a=a, b=b, **options)

    monkeypatch.setattr(differences, "SequenceMatcher", Recorded)
    return found


def test_parts_of_two_texts():
    parts = compared(["I", "read", "in", "voices"], ["I", "read", "invoices"])
    assert parts == [Part(True, slice(0, 2), slice(0, 2)), Part(False, slice(2, 4), slice(2, 3))]


@pytest.mark.parametrize("most_pairs", [0, 4, MOST_PAIRS])
@given(before=WORDS, after=WORDS)
def test_any_two_texts_can_be_read_from_the_parts(most_pairs, before, after):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differences, "MOST_PAIRS", most_pairs)
        parts = compared(before, after)
    assert [word for part in parts for word in before[part.before]] == before
    assert [word for part in parts for word in after[part.after]] == after
    assert all((before[part.before] == after[part.after]) == part.is_same for part in parts)
    assert all(one.is_same != other.is_same for one, other in pairwise(parts))


def test_small_edits_of_a_long_text_are_small_differences():
    before = ["and" if number % 3 else word for number, word in enumerate(NUMBERED)]
    after = ["Yes", *before[:700], "well", *before[702:1400], *before[1401:]]
    assert changed(before, after) == [("", "Yes"), ("and and", "well"), ("and", "")]


def test_small_edits_of_a_long_text_of_few_characters_are_small_differences():
    before = list("".join(f"{number:b}." for number in range(300)))
    after = ["X", *before[:700], *before[701:1500], "X", *before[1500:]]
    assert changed(before, after) == [("", "X"), (before[700], ""), ("", "X")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (NUMBERED, FILLED),
        (NUMBERED, [word for number in NUMBERED for word in (number, "x")]),
        ([word.replace("v", "w") for word in FILLED], FILLED),
        (["la"] * 800, ["la", "lala"] * 400),
        (list("的一" * 750), list("是的一" * 500)),
        (ANCHORED, ANCHORED_OTHERWISE),
    ],
)
def test_text_that_is_made_to_be_compared_slowly_is_compared_in_short_stretches_alone(pairs, before, after):
    assert changed(before, after)
    assert max(pairs, default=0) <= MOST_PAIRS
    assert sum(pairs) <= 50 * (len(before) + len(after))


def test_long_stretch_without_a_word_in_common_is_one_difference(pairs):
    assert len(changed(["a", *["la"] * 800, "b"], ["a", *["la", "lala"] * 400, "b"])) == 1
    assert pairs == []
