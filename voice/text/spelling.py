"""Spell a segment's words as its text does, with punctuation and the spaces before them."""

from __future__ import annotations

from collections.abc import Sequence

from voice.text.normalisation import normalise
from voice.types import Segment, Word


def spelt_words(segment: Segment) -> list[tuple[str, Word]] | None:
    """Return each word with its part of the normalised text; joined, the parts are the text.

    None if there are no words or they do not match the text.
    """
    text = normalise(segment.text)
    spans = _spans(text, segment.words)
    if not spans:
        return None
    ends = [*(start for start, _ in spans[1:]), len(text)]
    spelt: list[tuple[str, Word]] = []
    start = 0
    for (_, word), end in zip(spans, ends, strict=True):
        part = text[start:end].rstrip()  # the space goes to the next word
        spelt.append((part, word))
        start += len(part)
    return spelt


def _spans(text: str, words: Sequence[Word]) -> list[tuple[int, Word]] | None:
    """Return where each word begins in `text`; None if one is missing."""
    spans: list[tuple[int, Word]] = []
    position = 0
    for word in words:
        if not (spelt := normalise(word.text)):
            continue
        found = text.find(spelt, position)
        if found < 0:
            return None
        spans.append((found, word))
        position = found + len(spelt)
    return spans
