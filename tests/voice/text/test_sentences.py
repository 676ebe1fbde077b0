import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.text.normalisation import normalise
from voice.text.sentences import SENTENCE_LIMIT_CHARS, split_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  two \t\n words ", "two words"),
        ("caf\u0065\u0301", "café"),
        ("bell\x07 and\u200b zero\ufeff width", "bell and zero width"),
        ("soft\u00adhyphen", "softhyphen"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("", ""),
    ],
)
def test_normalise_cleans(text, expected):
    assert normalise(text) == expected


@given(st.text())
def test_normalise_twice_changes_nothing_more(text):
    once = normalise(text)

    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello there. How are you? Fine!", ["Hello there.", "How are you?", "Fine!"]),
        ("Mr. Smith paid 3.5 million. Really?!", ["Mr. Smith paid 3.5 million.", "Really?!"]),
        ("See e.g. the J. Doe case. Then stop.", ["See e.g. the J. Doe case.", "Then stop."]),
        ("So do I. And you?", ["So do I.", "And you?"]),
        ('She said "No." Then she left.', ['She said "No."', "Then she left."]),
        ("Am 3. Oktober, z.B. in Berlin. Gut.", ["Am 3. Oktober, z.B. in Berlin.", "Gut."]),
        ("¿Qué tal? ¡Muy bien!", ["¿Qué tal?", "¡Muy bien!"]),
        ("你好。你叫什么名字？很好！", ["你好。", "你叫什么名字？", "很好！"]),
        (
            "自己紹介をしてください。「はい。」次です。",
            ["自己紹介をしてください。", "「はい。」", "次です。"],
        ),
        ("आप कैसे हैं। ठीक हूँ।", ["आप कैसे हैं।", "ठीक हूँ।"]),
        ("كيف حالك؟ بخير.", ["كيف حالك؟", "بخير."]),
        ("no end", ["no end"]),
        ("Visit example.com today. Thanks", ["Visit example.com today.", "Thanks"]),
        (" \n ", []),
    ],
)
def test_sentences_are_split(text, expected):
    assert split_sentences(text) == expected


def test_a_long_sentence_is_cut_at_a_clause():
    clause = "word " * 40
    pieces = split_sentences(f"{clause.strip()}, {clause.strip()}, {clause.strip()}.")

    assert [piece[-1] for piece in pieces] == [",", ",", "."]


@given(st.text(max_size=2000))
def test_split_sentences_lose_nothing_and_keep_the_limit(text):
    pieces = split_sentences(text)

    assert "".join("".join(pieces).split()) == "".join(normalise(text).split())
    assert all(0 < len(piece) <= SENTENCE_LIMIT_CHARS for piece in pieces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pay \u202e001\u202c euros", "pay 001 euros"),
        ("\u2066isolated\u2069 \u200e\u200ftext", "isolated text"),
        ("null\x00byte \x1b[31mred", "nullbyte [31mred"),
        ("e\u200b\u0301", "é"),
        ("\ud800half a pair", "half a pair"),
        ("\u200b\u2060\ufeff", ""),
    ],
)
def test_what_cannot_be_heard_is_taken_out(text, expected):
    assert normalise(text) == expected


@given(st.text(st.sampled_from("ae \u0301\u0316\u0344\u200b\u200d\u1100\u1161\u0958\t.")))
def test_normalising_composed_and_hidden_characters_twice_changes_nothing_more(text):
    once = normalise(text)

    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_accents_piled_on_one_letter_are_bounded():
    assert len(normalise("o" + "\u0301\u0316" * 500_000)) <= 31


@pytest.mark.parametrize(
    "unit",
    [
        "word ",
        "Mr. ",
        "a.",
        ".",
        ".)",
        "。",
        "a\u0301\u0316",
        "\u0301\u0316",
        "\x00",
        "(",
        " ",
        "あ",
        "No. 3. ",
    ],
)
def test_a_megabyte_of_anything_is_split_in_one_pass(unit):
    # a quadratic step would take hours here and exceed the tests' time limit
    text = unit * (1_000_000 // len(unit))

    assert all(0 < len(piece) <= SENTENCE_LIMIT_CHARS for piece in split_sentences(text))


def test_an_abbreviation_after_a_bracket_ends_no_sentence():
    assert split_sentences("We (Prof. Berg and I) left.") == ["We (Prof. Berg and I) left."]
