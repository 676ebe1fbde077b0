import pytest
from hypothesis import given
from hypothesis import strategies as st

from interviews.texts import tags, vocabulary
from interviews.texts.vocabulary import BadVocabulary, Term

WRITTEN = "Kubernetes\n\n  Nguyen  =  win \nC++ = see plus plus"


def test_terms_are_one_a_line_with_how_they_are_spoken_after_the_sign():
    found = vocabulary.terms(WRITTEN)
    assert found == [Term("Kubernetes", ""), Term("Nguyen", "win"), Term("C++", "see plus plus")]


def test_tidy_text_is_kept_as_it_is():
    tidy = vocabulary.tidy(WRITTEN)
    assert tidy == "Kubernetes\nNguyen = win\nC++ = see plus plus"
    assert vocabulary.tidy(tidy) == tidy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("= win", "before the sign"),
        ("Kafka, Redis", "without commas"),
        ("Nguyen = !", "after the sign"),
        ("Kafka\nKafka", "twice"),
        ("K" * 61, "at most 60"),
        ("Kafka = " + "k" * 121, "120"),
        ("\n".join(f"t{n}" for n in range(41)), "41 terms"),
        ("\n".join(str(n) * 55 for n in range(9)), "characters together"),
    ],
)
def test_vocabulary_that_cannot_be_used_says_why(text, why):
    with pytest.raises(BadVocabulary, match=why):
        vocabulary.tidy(text)


def test_recogniser_gets_each_term_once_and_the_voice_the_first_form():
    own, shared = "Nguyen = win\nKafka", "Redis\nNguyen = noo yen\nKafka = kaf ka"
    assert vocabulary.hot_words(own, shared) == "Nguyen, Kafka, Redis"
    assert vocabulary.pronunciations(own, shared) == {"Nguyen": "win", "Kafka": "kaf ka"}


@given(st.text(max_size=400))
def test_whatever_is_written_is_refused_or_kept_within_the_limits(text):
    try:
        tidy = vocabulary.tidy(text)
    except BadVocabulary:
        return
    assert vocabulary.terms(tidy) == vocabulary.terms(text)
    assert len(vocabulary.hot_words(tidy)) <= vocabulary.MAX_CHARS
    assert vocabulary.tidy(tidy) == tidy


def test_two_vocabularies_fit_into_what_the_speech_service_takes():
    assert 2 * vocabulary.MAX_CHARS + len(", ") <= 1000


def test_tags_are_kept_once_with_commas_between_them():
    assert tags.tidy(" Python,backend ,, python") == "Python, backend"
