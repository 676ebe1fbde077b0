"""How languages are searched."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interviews.texts import searching
from interviews.texts.languages import LANGUAGES


@pytest.mark.parametrize(
    ("language", "configuration"),
    [
        ("en-GB", "english"),
        ("de", "german"),
        ("pl", "simple"),
        ("ja", "pairs"),
        ("zh-TW", "pairs"),
        ("", "simple"),
    ],
)
def test_language_is_searched_by(language, configuration):
    assert searching.configuration_of(language) == configuration


@pytest.mark.django_db
def test_every_configuration_is_one_of_postgresql():
    with connection.cursor() as cursor:
        cursor.execute("SELECT cfgname FROM pg_ts_config")
        known = {name for (name,) in cursor.fetchall()}
    assert set(searching.ALL) - {searching.PAIRS} <= known
    assert {searching.configuration_of(code) for code, _ in LANGUAGES} <= set(searching.ALL)


def test_pairs_overlap_and_the_last_character_stands_alone():
    assert searching.vector_of_pairs("AIと日本") == "'ai':1 'と日':2 '日本':3 '本':4"
    assert searching.query_of_pairs("日本語 AI") == "('日本' <-> '本語') & ('ai')"
    assert searching.query_of_pairs("日") == "('日':*)"
    assert searching.query_of_pairs("?!'") == ""


@pytest.mark.django_db
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=300))
def test_any_text_is_a_vector_and_a_query(text):
    with connection.cursor() as cursor:
        query = searching.query_of_pairs(text)
        cursor.execute("SELECT %s::tsvector, %s::tsquery", [searching.vector_of_pairs(text), query])
        vector, _query = cursor.fetchone()
    assert "=" not in vector, "no text has a mark"


@pytest.mark.django_db
def test_endless_word_is_kept_in_part():
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::tsvector", [searching.vector_of_pairs("a" * 10_000)])
