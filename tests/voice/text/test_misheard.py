import pytest

from voice.engines.registry import pronunciation
from voice.text.misheard import misheard


def heard_wrong(said, heard, language="en"):
    return misheard(said, heard, lambda word: pronunciation(word, language))


@pytest.mark.parametrize(
    ("said", "heard", "language"),
    [
        ("Tell me about yourself.", "tell me, about yourself", "en"),
        ("What is your favourite colour?", "What is your favorite color?", "en"),
        ("Whom did you organise and counselled?", "Whom did you organize and counseled?", "en"),
        ("Did you lead 12 people?", "Did you lead twelve people?", "en"),
        ("Did you lead one thousand people?", "Did you lead 1,000 people?", "en"),
        ("Which data base do you know?", "Which database do you know?", "en"),
        ("Which database do you know?", "Which data base do you know?", "en"),
        ("Was ist Ihr größtes Projekt?", "Was ist ihr grösstes Projekt?", "de"),
        ("¿Cuántos años? ¿Quince?", "cuántos años 15", "es"),
        (
            "One wrong word among ten words does not matter much at all.",
            "One long word among ten words does not matter much at all",
            "en",
        ),
    ],
)
def test_what_sounds_the_same_is_understood(said, heard, language):
    assert heard_wrong(said, heard, language) == []


@pytest.mark.parametrize(
    ("said", "heard", "words"),
    [
        ("Do you know Xqwrt?", "Do you know excuse?", ["Xqwrt"]),
        ("Do you know PostgreSQL here?", "Do you know post crack SQL here?", ["PostgreSQL"]),
        ("Why here, why?", "", ["Why", "here", "why"]),
        ("Why here?", "Why in the here?", ["Why"]),
        ("Why?", "So why?", ["Why"]),
    ],
)
def test_words_that_were_heard_otherwise_are_named(said, heard, words):
    assert heard_wrong(said, heard) == words


def test_a_text_without_words_is_understood():
    assert heard_wrong("…", "something") == []
