"""How the words of each language are searched.

A language that PostgreSQL knows is searched by the stems of its words ("invoices" finds "invoice"), any other
by the words as they are written. A language without spaces between words is searched by pairs of characters,
one after the other, so that any part of a sentence is found: "日本語" is the pair "日本", then "本語".
"""

import re
from collections.abc import Iterator
from typing import Final

from voice.text.languages import primary_language
from voice.text.writing_systems import UNSPACED_LANGUAGES

PAIRS: Final = "pairs"
AS_WRITTEN: Final = "simple"
CONFIGURATIONS: Final = {
    "en": "english",
    "de": "german",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "hi": "hindi",
}
"""Text search configurations of PostgreSQL 14 and later, for the languages that interviews are offered in."""
ALL: Final = (*CONFIGURATIONS.values(), AS_WRITTEN, PAIRS)
# Thai and Lao, Myanmar, Khmer, the signs that repeat a character, kana, Han, kana of half a width.
_UNSPACED: Final = (
    "[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
_RUN: Final = re.compile(rf"({_UNSPACED}+)|(?:(?!{_UNSPACED})[^\W_])+")
MOST_POSITIONS, LONGEST = 16383, 200
"""PostgreSQL knows no later position of a lexeme, and none over 2046 bytes: so many characters are kept."""


def configuration_of(language: str) -> str:
    """Return how texts of a language are searched: a configuration of PostgreSQL, or `PAIRS`."""
    code = primary_language(language)
    return PAIRS if code in UNSPACED_LANGUAGES else CONFIGURATIONS.get(code, AS_WRITTEN)


def vector_of_pairs(text: str) -> str:
    """Return a text in a language without spaces as PostgreSQL's tsvector.

    "AIと日本" has the lexemes "ai", "と日", "日本" and "本".
    """
    lexemes = (lexeme for run, is_unspaced in runs(text) for lexeme in _lexemes(run, is_unspaced))
    return " ".join(f"'{each}':{min(n, MOST_POSITIONS)}" for n, each in enumerate(lexemes, start=1))


def query_of_pairs(words: str) -> str:
    """Return what is searched for as PostgreSQL's tsquery; empty if there is no letter and no digit.

    One character finds all pairs that begin with it.
    """
    return " & ".join(f"({_phrase(run, is_unspaced)})" for run, is_unspaced in runs(words))


def runs(text: str) -> Iterator[tuple[str, bool]]:
    """Return the words of a text, and its rows of characters without spaces (True), in lower case."""
    for found in _RUN.finditer(text.lower()):
        yield found[0], bool(found[1])


def mark_of_organisation(organisation_id: int) -> str:
    """Return the lexeme that all entries of an organisation have. No text has words with "="."""
    return f"={organisation_id}"


def mark_of(configuration: str) -> str:
    """Return the lexeme that all entries have which are searched so."""
    return f"={configuration}"


def _phrase(run: str, is_unspaced: bool) -> str:
    if not is_unspaced:
        return f"'{run[:LONGEST]}'"
    pairs = [f"'{run[n : n + 2]}'" for n in range(len(run) - 1)]
    return " <-> ".join(pairs) if pairs else f"'{run}':*"


def _lexemes(run: str, is_unspaced: bool) -> list[str]:
    return [run[n : n + 2] for n in range(len(run))] if is_unspaced else [run[:LONGEST]]
