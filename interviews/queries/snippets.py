"""The part of a text around what was searched for."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from interviews.texts import searching

START, END = "\ue000", "\ue001"
"""PostgreSQL puts them around a hit. No font has them; a text's own are taken out of it before."""
BEFORE: Final = 80
LENGTH: Final = 240
"""Characters of a snippet before the first hit, and altogether: two lines on a wide page."""

Span = tuple[int, int]


class Piece(NamedTuple):
    """A part of a snippet. is_hit: it is what was searched for."""

    text: str
    is_hit: bool


def without_marks(text: str) -> str:
    """Return a text without the characters that mark hits."""
    return text.translate({ord(START): None, ord(END): None})


def marked_spans(marked: str) -> list[Span]:
    """Return where the hits lie in a text that PostgreSQL has marked, as places in the text without marks."""
    spans, start, offset = [], 0, 0
    for part in re.split(f"([{START}{END}])", marked):
        if part == START:
            start = offset
        elif part == END:
            spans.append((start, offset))
        else:
            offset += len(part)
    return spans


def spans_of_runs(text: str, words: str) -> list[Span]:
    """Return where the words lie in a text without spaces."""
    wanted = sorted({run for run, _ in searching.runs(words)}, key=len, reverse=True)
    if not wanted:
        return []
    pattern = re.compile("|".join(map(re.escape, wanted)), re.IGNORECASE)
    return [found.span() for found in pattern.finditer(text)]


def cut(text: str, spans: Sequence[Span]) -> list[Piece]:
    """Return the part of the text around the first hit, in pieces; "…" stands for what is left out."""
    first, last = spans[0] if spans else (0, 0)
    begin = _word_start(text, max(0, first - BEFORE), before=first)
    end = _word_end(text, min(len(text), max(begin + LENGTH, last)), after=last)
    pieces, place = [Piece("…", False)] if begin else [], begin
    for start, stop in spans:
        if start >= end:
            break
        pieces += [Piece(text[place:start], False), Piece(text[start : min(stop, end)], True)]
        place = min(stop, end)
    pieces.append(Piece(text[place:end], False))
    if end < len(text):
        pieces.append(Piece("…", False))
    return [piece for piece in pieces if piece.text]


def second_of(offset: int, text: str, words: Sequence[dict[str, Any]]) -> float | None:
    """Return when the word at a place of the text begins, in seconds; None where no word is timed.

    words: as `Transcript.words`. They are the text in pieces, but for spaces, so only other characters count.
    """
    if not words:
        return None
    ends = list(accumulate(_solid(word["word"]) for word in words))
    number = bisect_right(ends, _solid(text[:offset]))
    return float(words[min(number, len(words) - 1)]["start"])


def _solid(text: str) -> int:
    return sum(not char.isspace() for char in text)


def _word_start(text: str, place: int, *, before: int) -> int:
    """Return where the next word begins, if one does before the hit; without spaces, the place itself."""
    if place == 0:
        return 0
    space = re.compile(r"\s").search(text, place, before)
    return space.end() if space else place


def _word_end(text: str, place: int, *, after: int) -> int:
    """Return where the last whole word ends, if that is after the hit."""
    if place == len(text):
        return place
    spaces = [found.start() for found in re.finditer(r"\s", text[after:place])]
    return after + spaces[-1] if spaces else place
