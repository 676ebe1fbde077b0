"""Prepare text for a voice: clean it and split it into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from voice.text.normalisation import normalise

# Longer sentences are cut at a clause, then at a space, so that the first sound comes soon and no model
# reaches its limit (Kokoro takes 510 phonemes, about 400 letters).
SENTENCE_LIMIT_CHARS: Final = 300

# Unicode's Sentence_Terminal characters, for the languages that an engine can speak. Source: Unicode Standard
# Annex 29, PropList.txt.
WIDE_ENDS: Final = "。！？｡．"  # written without a space after them
NARROW_ENDS: Final = ".!?…؟۔।॥։።፧។๏"
CLOSERS: Final = "\"'”’»›)]}」』）】〉》"
CLAUSE_ENDS: Final = ",;:،؛、，；：—–"

# A full stop after these does not end a sentence. English, German, French, Spanish, Italian; lower case.
_ABBREVIATIONS: Final = """
    mr mrs ms dr prof sr jr st vs etc e.g i.e approx dept inc ltd no vol fig
    z.b d.h u.a bzw ca evtl ggf hr fr nr str usw
    m mme mlle p.ex
    sra srta ud uds p.ej
    sig dott avv ing ecc
"""
ABBREVIATIONS: Final = frozenset(_ABBREVIATIONS.split())

# A run of end marks is matched once, from its beginning, so a megabyte of full stops takes no longer than
# letters.
_END: Final = re.compile(
    rf"[{re.escape(WIDE_ENDS)}]++[{re.escape(CLOSERS)}]*+"
    rf"|(?<![{re.escape(NARROW_ENDS)}])[{re.escape(NARROW_ENDS)}]++[{re.escape(CLOSERS)}]*+(?=\s)"
)
_LAST_WORD: Final = re.compile(r"([^\s(\[\"'„“«]+)\.$")
_LAST_WORD_CHARS: Final = 16  # longer than any abbreviation


def split_sentences(text: str) -> list[str]:
    """Return the sentences of `text`, normalised; none is empty or longer than `SENTENCE_LIMIT_CHARS`.

    Joined with a space (no space after CJK ends) they give the text again.
    """
    return [piece for sentence in _sentences(normalise(text)) for piece in _within_limit(sentence)]


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(text):
        tail = text[max(start, end.end() - _LAST_WORD_CHARS) : end.end()]
        if end.group()[0] == "." and _is_abbreviated(tail):
            continue
        if candidate := text[start : end.end()].strip():
            yield candidate
        start = end.end()
    if rest := text[start:].strip():
        yield rest


def _is_abbreviated(candidate: str) -> bool:
    """Whether the full stop at the end belongs to an abbreviation, an initial or a number (German dates)."""
    found = _LAST_WORD.search(candidate)
    if not found:
        return False
    word = found.group(1)
    is_initial = len(word) == 1 and word.isupper() and word != "I"
    return word.lower() in ABBREVIATIONS or is_initial or (word.isdigit() and len(word) <= 2)


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
