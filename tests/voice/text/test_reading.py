"""Text as people write it is read without its signs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.text.normalisation import normalise
from voice.text.reading import MOST_BRACKETS, readable


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Hello there. How are you?", "Hello there. How are you?"),
        ("Please **describe** your *last* _big_ project.", "Please describe your last big project."),
        ("# Task\n\nTell us:\n\n- first\n- second\n", "Task. Tell us: first. second"),
        ("1. First\n2. Second", "1. First. 2. Second"),
        ("> quoted\n\nsaid", "quoted. said"),
        ("Look at [our site](https://example.org) ![a logo](logo.png).", "Look at our site a logo."),
        ("Call `sort(x)`.\n\n```py\nprint(1)\n```\n\nWhy?", "Call sort(x). Why?"),
        ("| a | b |\n|---|---|\n| c | d |", "a. b. c. d"),
        ("See https://www.example.com/a?b=c.", "See example dot com."),
        ("(www.example.co.uk)", "(example dot co dot uk)"),
        ("Mail anna.b@example.com!", "Mail anna dot b at example dot com!"),
        ("$E = mc^2$", "E equals mc to the power of 2"),
        (r"$$\frac{a}{b} \cdot c$$", "a over b times c"),
        ("Great \U0001f44d\U0001f3fd job \U0001f469\u200d\U0001f4bb", "Great job"),
    ],
)
def test_signs_are_not_read(written, read):
    assert normalise(readable(written, "en")) == read


@pytest.mark.parametrize(
    "plain",
    [
        "2 * 3 * 4 and 2*3*4",
        "snake_case_name",
        "It costs $5 and $10.",
        r"C:\new and a \ b",
        "a < b & c > d",
        "**bold",
        "\U0001f44d",
        "```only code```",
    ],
)
def test_plain_text_stays(plain):
    assert "".join(char for char in normalise(readable(plain, "en")) if char != "`") == plain.replace("`", "")


@pytest.mark.parametrize(
    ("language", "read"),
    [
        ("de-DE", "info at example Punkt de"),
        ("es", "info arroba example punto de"),
        ("fr", "info arobase example point de"),
        ("it", "info chiocciola example punto de"),
        ("ru", "info@example.de"),
    ],
)
def test_addresses_are_read_in_words_of_the_language(language, read):
    assert readable("info@example.de", language) == read


def test_text_of_brackets_is_left_as_it_is():
    brackets = "[a" * (MOST_BRACKETS + 1)
    assert readable(brackets, "en") == brackets


@given(
    st.text(alphabet=st.characters(categories=["L", "N", "Zs"], include_characters=",.;:!?'"), max_size=300)
)
def test_words_are_never_lost(text):
    read = readable(text, "en")
    assert [char for char in read if char.isalpha()] == [char for char in text if char.isalpha()]
