"""Which words of a text were heard as something else: what was said compared with what was recognised.

    words = misheard("Do you know PostgreSQL?", "Do you know postgres QL?", pronounce)    # ["PostgreSQL"]

Words are the same if their letters are, or if they sound the same: numbers ("12" and "twelve") and spellings
("colour" and "color") do not count. Nor do spaces: "data base" is "database".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

WARNED_FROM: Final = 0.1
"""Share of wrong words from which listeners may lose a question's meaning: one word of ten."""
_MERGED: Final = 6
"""The most words that one may be written as: "1250" is five."""
_MARKS: Final = re.compile(r"\([^)]*\)|[\s^ˈˌː-]")
"""In IPA: remarks on other languages, ties, stress and length, which differ with the words around."""
_SPELLINGS: Final = (
    ("our", "or"),
    ("ise", "ize"),
    ("isi", "izi"),
    ("yse", "yze"),
    ("ogue", "og"),
    ("ll", "l"),
)
"""British and American English: "colour", "organise", "organising", "analyse", "catalogue", "travelled"."""
_NO_LETTERS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    letters: str
    sounds: str

    def is_same(self, other: _Word) -> bool:
        return self.letters == other.letters or (self.sounds != "" and self.sounds == other.sounds)


@dataclass(frozen=True, slots=True)
class _Step:
    """The last step of the best way to a place in both texts, and the errors up to there."""

    errors: int
    n_said: int
    n_heard: int
    is_error: bool


def misheard(said: str, heard: str, pronounce: Callable[[str], str]) -> list[str]:
    """Return the words of `said` that were heard wrong, if they are a tenth of them or more; else [].

    A word too many counts for the word of `said` before it.

    pronounce: returns a word in IPA, as `voice.engines.registry.pronunciation` does.
    """
    words, others = _words(said, pronounce), _words(heard, pronounce)
    if not words:
        return []
    steps = _aligned(words, others)
    if steps[-1][-1].errors < WARNED_FROM * len(words):
        return []
    return list(dict.fromkeys(_wrong(words, steps)))


def _words(text: str, pronounce: Callable[[str], str]) -> list[_Word]:
    found = (word.strip("\"'“”„«»‚‘’()[]¿¡.,;:!?…—–。、") for word in text.split())
    return [
        _Word(word, _letters(word), _MARKS.sub("", pronounce(word)))
        for word in found
        if any(map(str.isalnum, word))
    ]


def _letters(word: str) -> str:
    """Return a word's letters and digits, the same for spellings that a recogniser may choose between."""
    letters = _NO_LETTERS.sub("", word.casefold())
    for one, other in _SPELLINGS:
        letters = letters.replace(one, other)
    return letters


def _aligned(said: Sequence[_Word], heard: Sequence[_Word]) -> list[list[_Step]]:
    """Return for each number of words of both the best last step. Source: Levenshtein's distance of words."""
    steps: list[list[_Step]] = []
    for i in range(len(said) + 1):
        steps.append([])
        for j in range(len(heard) + 1):
            steps[i].append(_best(said, heard, steps, i, j))
    return steps


def _best(said: Sequence[_Word], heard: Sequence[_Word], steps: list[list[_Step]], i: int, j: int) -> _Step:
    if i == j == 0:
        return _Step(0, 0, 0, is_error=False)
    ways = [
        _Step(steps[i - n][j - m].errors + is_error, n, m, is_error=is_error)
        for n, m, is_error in _last_steps(said[max(0, i - _MERGED) : i], heard[max(0, j - _MERGED) : j])
    ]
    return min(ways, key=lambda step: (step.errors, step.is_error))


def _last_steps(said: Sequence[_Word], heard: Sequence[_Word]) -> list[tuple[int, int, bool]]:
    """Return the last steps that are possible: words of `said`, words of `heard`, whether it is an error."""
    # A word too many comes first, so that it counts for the word that it was heard after.
    ways = [(n, m, True) for n, m in ((0, 1), (1, 1), (1, 0)) if n <= len(said) and m <= len(heard)]
    pairs = [(1, m) for m in range(1, len(heard) + 1)] + [(n, 1) for n in range(2, len(said) + 1)]
    if said and heard:
        ways += [(n, m, False) for n, m in pairs if _joined(said[-n:]).is_same(_joined(heard[-m:]))]
    return ways


def _joined(words: Sequence[_Word]) -> _Word:
    if len(words) == 1:
        return words[0]
    return _Word("", "".join(word.letters for word in words), "".join(word.sounds for word in words))


def _wrong(said: Sequence[_Word], steps: list[list[_Step]]) -> list[str]:
    found, i, j = [], len(steps) - 1, len(steps[-1]) - 1
    while i or j:
        step = steps[i][j]
        if step.is_error:
            found.append(said[max(0, i - 1)].text)
        i, j = i - step.n_said, j - step.n_heard
    return found[::-1]
