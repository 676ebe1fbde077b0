import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviews.texts import quotes

SAID = "Well, I’ve built a small service; it reads invoices – 200 a day – and checks them."


@pytest.mark.parametrize(
    "quote",
    ["I've built a small service", "a SMALL service, it reads", "200 a day and checks", "invoices", "them…"],
)
def test_quote_occurs_whatever_its_marks_and_capitals(quote):
    assert quotes.occurs(quote, SAID)


@pytest.mark.parametrize(
    "quote", ["", "–", "built a large service", "service small", "voices", "checks them daily", "in voices"]
)
def test_quote_that_was_not_said_does_not_occur(quote):
    assert not quotes.occurs(quote, SAID)


@given(st.text(), st.integers(0, 50), st.integers(1, 20))
def test_any_run_of_words_of_a_text_occurs_in_it(text, first, count):
    run = quotes.words(text)[first : first + count]

    assert quotes.occurs(" ".join(run), text) == bool(run)


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(quote, text):
    assert quotes.occurs(quote, text) in (True, False)
