"""The difference between two versions of a transcript, word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviews.queries.transcript_versions import count_different, passages
from tests.factories import segments_of
from voice.models import Transcript


def transcript(text, language="en"):
    return Transcript(text=text, segments=segments_of(text), language=language)


def shown(before, after, language="en"):
    found = passages(transcript(before, language), transcript(after, language))
    return [(one.same, one.gone, one.new) for one in found]


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("we read in voices", "we read invoices", [("we read", "", ""), ("", "in voices", "invoices")]),
        ("Yes we can", "yes, we can.", [("yes, we can.", "", "")]),
        ("we read", "we all read", [("we", "", ""), ("", "", "all"), ("read", "", "")]),
        ("we all read", "we read", [("we", "", ""), ("", "all", ""), ("read", "", "")]),
        ("", "we read", [("", "", "we read")]),
        ("", "", []),
    ],
)
def test_difference_in_words(before, after, wanted):
    assert shown(before, after) == wanted


def test_language_without_spaces_is_shown_without():
    assert shown("我 们 读", "我 们 写", "zh") == [("我们", "", ""), ("", "读", "写")]


def test_difference_tells_when_it_was_said():
    [_same, different] = passages(transcript("we read in voices"), transcript("we read invoices"))
    assert different.start_s == 0.8


WORDS = st.lists(st.sampled_from(["a", "b", "c", "c."]), max_size=12).map(" ".join)


@given(before=WORDS, after=WORDS)
def test_both_texts_can_be_read_from_the_difference(before, after):
    found = passages(transcript(before), transcript(after))
    assert " ".join(text for one in found if (text := one.same or one.new)) == after
    gone = " ".join(text for one in found if (text := one.same or one.gone)).replace(".", "")
    assert gone == before.replace(".", "")
    assert (count_different(found) == 0) == (before.replace(".", "") == after.replace(".", ""))
