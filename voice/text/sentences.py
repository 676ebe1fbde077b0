"""Prepare text for a voice: clean it and split it into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import sentencex

from voice.text.languages import primary_language
from voice.text.normalisation import normalise

# Longer sentences are cut at a clause, then at a space, so that the first sound comes soon and no model
# reaches its limit (Kokoro takes 510 phonemes, about 400 letters).
SENTENCE_LIMIT_CHARS: Final = 300

WIDE_ENDS: Final = "。！？｡．"  # written without a space after them
CLAUSE_ENDS: Final = ",;:،؛、，；：—–"

# Abbreviations that the library takes for the end of a sentence; lower case, without the full stop.
_ABBREVIATIONS: Final = {
    "de": "fa dipl dipl.-ing hr fr evtl ggf",
    "fr": "m mm mme mlle dr pr me pers no n janv févr juil sept oct nov déc p.ex",
    "it": "ing avv arch geom sig dott n pag p gen feb mar apr mag giu lug ago set ott nov dic",
    "es": "pág núm av art",
}
ABBREVIATIONS: Final = {code: frozenset(words.split()) for code, words in _ABBREVIATIONS.items()}
ORDINALS: Final = frozenset(("cs", "da", "de", "et", "fi", "hr", "hu", "nb", "nn", "no", "pl", "sk", "sl"))
"""Languages that write a full stop after the number of a day: "am 3. Oktober"."""
TAIL_CHARS: Final = 24
"""Longer than any abbreviation."""
_LAST_WORD: Final = re.compile(r"([^\s(\[\"'„“«’]{1,16})\.\s*$")


def split_sentences(text: str, language: str) -> list[str]:
    """Return the sentences of `text`, normalised; none is empty or longer than `SENTENCE_LIMIT_CHARS`.

    Joined with a space (no space after CJK ends) they give the text again.
    """
    code = primary_language(language)
    return [piece for sentence in _sentences(normalise(text), code) for piece in _within_limit(sentence)]


def _sentences(text: str, language: str) -> Iterator[str]:
    """Join what the library took apart although the sentence goes on."""
    has_capitals = any(char.isupper() for char in text)
    sentence = ""
    for piece in sentencex.segment(language, text):
        if sentence and not _goes_on(sentence[-TAIL_CHARS:], piece, language, has_capitals=has_capitals):
            yield sentence.strip()
            sentence = ""
        sentence += piece
    if sentence.strip():
        yield sentence.strip()


def _goes_on(tail: str, following: str, language: str, *, has_capitals: bool) -> bool:
    """Whether the full stop at the end of `tail` belongs to an abbreviation or to a number."""
    if not tail.rstrip().endswith("."):
        return False
    if tail[-1] == "." and not following[:1].isspace():
        return True  # "Dipl.-Ing."
    if has_capitals and following.lstrip()[:1].islower():
        return True
    found = _LAST_WORD.search(tail)
    word = found.group(1).lower() if found else ""
    is_day = language in ORDINALS and word.isdigit() and len(word) <= 2
    return is_day or word in ABBREVIATIONS.get(language, ())


def _within_limit(sentence: str) -> Iterator[str]:
    start = 0
    while len(sentence) - start > SENTENCE_LIMIT_CHARS:
        end = start + _cut(sentence[start : start + SENTENCE_LIMIT_CHARS])
        if piece := sentence[start:end].strip():
            yield piece
        start = end
    if rest := sentence[start:].strip():
        yield rest


def _cut(head: str) -> int:
    """Return where to cut: after the second half's last clause, else at the last space, else at the end."""
    clause = max(head.rfind(mark) for mark in CLAUSE_ENDS) + 1
    if clause > len(head) // 2:
        return clause
    space = head.rfind(" ")
    return space if space > 0 else len(head)
