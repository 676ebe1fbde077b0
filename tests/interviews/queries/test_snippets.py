"""The part of a text around a hit, and the second at which it is heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviews.queries import snippets
from interviews.queries.snippets import END, LENGTH, START
from tests.factories import spoken_words


def joined(pieces):
    return "".join(f"[{piece.text}]" if piece.is_hit else piece.text for piece in pieces)


def test_hits_are_marked_and_the_rest_is_text():
    marked = f"we sold {START}turnips{END} & {START}beets{END}"
    assert snippets.marked_spans(marked) == [(8, 15), (18, 23)]
    assert (
        joined(snippets.cut("we sold turnips & beets", [(8, 15), (18, 23)])) == "we sold [turnips] & [beets]"
    )


def test_long_text_is_cut_between_words_around_the_first_hit():
    text = "before " * 60 + "turnips" + " after" * 60
    start = text.index("turnips")
    shown = joined(snippets.cut(text, [(start, start + 7)]))
    assert shown.startswith("…before ")
    assert shown.endswith(" after…")
    assert "[turnips]" in shown
    assert len(shown) <= LENGTH + 4


def test_text_without_spaces_is_cut_anywhere():
    text = "あ" * 500 + "請求書" + "い" * 500
    shown = joined(snippets.cut(text, [(500, 503)]))
    assert "[請求書]" in shown
    assert len(shown) <= LENGTH + 4


@given(
    text=st.text(alphabet="ab \n日\ue000", max_size=600),
    places=st.lists(st.integers(0, 599), min_size=2, max_size=8),
)
def test_snippet_is_a_part_of_the_text(text, places):
    ordered = sorted({min(place, len(text)) for place in places})
    spans = [(a, b) for a, b in zip(ordered[::2], ordered[1::2], strict=False) if a < b]
    pieces = snippets.cut(text, spans)
    assert "".join(piece.text for piece in pieces).strip("…") in text
    if spans:
        hit = next(piece.text for piece in pieces if piece.is_hit)
        assert hit == text[spans[0][0] : spans[0][1]]


def test_texts_own_marks_are_taken_out():
    assert snippets.without_marks(f"a{START}<b>{END}") == "a<b>"


@pytest.mark.parametrize(("word", "second"), [("I", 0.0), ("built", 0.4), ("service", 1.6)])
def test_second_is_that_of_the_word(word, second):
    text = "I built a small service"
    assert snippets.second_of(text.index(word), text, spoken_words(text)) == pytest.approx(second)


def test_second_is_found_where_words_are_split_otherwise():
    words = [{"word": part, "start": n, "end": n + 1} for n, part in enumerate(["請求", "書を", "確認"])]
    assert snippets.second_of(4, "請求書を確認", words) == 2.0
    assert snippets.second_of(99, "請求書を確認" * 20, words) == 2.0, "never beyond the last word"
    assert snippets.second_of(0, "typed", []) is None
