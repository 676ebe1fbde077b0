import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.text.pronunciation import pronounced

FORMS = {"Go": "goh", "Go lang": "goh lang", "C++": "see plus plus", "Nguyen": "win"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("We use Go.", "We use goh."),
        ("Go on, Google it: let it go.", "goh on, Google it: let it go."),
        ("Go lang and Go", "goh lang and goh"),
        ("(C++)", "(see plus plus)"),
        ("Frau Nguyen’s team", "Frau win’s team"),
        ("使用Go开发", "使用goh开发"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_whole_words_written_exactly_so_are_spoken_otherwise(text, said):
    assert pronounced(text, FORMS) == said


def test_what_was_put_in_is_not_replaced_again():
    assert pronounced("a b", {"a": "b", "b": "a"}) == "b a"


def test_one_form_of_a_character_is_found_as_another():
    assert pronounced("Ame\u0301lie", {"Amélie": "amay lee"}) == "amay lee"


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text(max_size=5), max_size=4))
def test_any_term_is_taken_as_it_stands(text, forms):
    pronounced(text, forms)
    assert pronounced(text, dict.fromkeys(forms, "")) == text
