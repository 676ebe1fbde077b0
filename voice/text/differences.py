"""What differs between two texts, word by word, in a time that no text makes long.

    compared(["I", "read", "in", "voices"], ["I", "read", "invoices"])
    # [Part(True, slice(0, 2), slice(0, 2)), Part(False, slice(2, 4), slice(2, 3))]

Texts come from candidates, and `SequenceMatcher` takes cubic time for some. So it gets only short stretches.
Longer ones are first cut at runs of words that each text has exactly once. A stretch that is still long after
that is one difference. So the time grows with the number of words alone: a thousand take some 30 ms at most.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

MOST_PAIRS: Final = 2_500
"""Words of one text times words of the other, which are compared each with each: fifty by fifty."""
_RUNS: Final = (16, 4, 1)
"""Lengths of the runs at which a stretch is cut, one after the other while it is still long. In a language
without spaces the words are characters, and only several of them are unique together."""


@dataclass(frozen=True, slots=True)
class Part:
    """Words [before] of the earlier text, and words [after] of the later: the same, or in place of them."""

    is_same: bool
    before: slice
    after: slice


def compared(before: Sequence[str], after: Sequence[str]) -> list[Part]:
    """Return both texts in parts, in order. No two neighbours are both the same, or both different."""
    parts: list[Part] = []
    i = j = 0
    for different in _differences(before, after):
        if different.before.start > i:
            parts.append(Part(True, slice(i, different.before.start), slice(j, different.after.start)))
        parts.append(different)
        i, j = different.before.stop, different.after.stop
    if i < len(before):
        parts.append(Part(True, slice(i, len(before)), slice(j, len(after))))
    return parts


def _differences(before: Sequence[str], after: Sequence[str]) -> Iterator[Part]:
    stretches = [_trimmed(before, after, Part(False, slice(0, len(before)), slice(0, len(after))))]
    for length in _RUNS:
        cut = ([one] if _is_short(one) else _between_anchors(before, after, one, length) for one in stretches)
        stretches = [_trimmed(before, after, stretch) for each in cut for stretch in each]
    for stretch in stretches:
        if _is_short(stretch):
            yield from _compared_each_with_each(before, after, stretch)
        else:
            yield stretch


def _is_short(part: Part) -> bool:
    return (part.before.stop - part.before.start) * (part.after.stop - part.after.start) <= MOST_PAIRS


def _compared_each_with_each(before: Sequence[str], after: Sequence[str], part: Part) -> Iterator[Part]:
    matcher = SequenceMatcher(a=before[part.before], b=after[part.after], autojunk=False)
    i, j = part.before.start, part.after.start
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            yield Part(False, slice(i + i1, i + i2), slice(j + j1, j + j2))


def _trimmed(before: Sequence[str], after: Sequence[str], part: Part) -> Part:
    """Return the part without the words with which both texts begin there, and those with which both end."""
    ours, theirs = before[part.before], after[part.after]
    start = _count_common(ours, theirs)
    end = _count_common(ours[start:][::-1], theirs[start:][::-1])
    return Part(
        False,
        slice(part.before.start + start, part.before.stop - end),
        slice(part.after.start + start, part.after.stop - end),
    )


def _count_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return with how many equal words both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _between_anchors(before: Sequence[str], after: Sequence[str], whole: Part, length: int) -> Iterator[Part]:
    """Yield what lies between the words with which such runs begin that both texts have exactly once.

    Source: Bram Cohen's patience diff, of single lines.
    """
    ours, theirs = _once(before, whole.before, length), _once(after, whole.after, length)
    anchors = _rising([(place, theirs[run]) for run, place in ours.items() if run in theirs])
    i, j = whole.before.start, whole.after.start
    for next_i, next_j in [*anchors, (whole.before.stop, whole.after.stop)]:
        yield Part(False, slice(i, next_i), slice(j, next_j))
        i, j = next_i + 1, next_j + 1


def _once(words: Sequence[str], stretch: slice, length: int) -> dict[tuple[str, ...], int]:
    """Return the runs of so many words that a stretch has exactly once, in order, with their places."""
    runs = list(zip(*(words[stretch.start + skip : stretch.stop] for skip in range(length)), strict=False))
    counts = Counter(runs)
    return {run: at for at, run in enumerate(runs, stretch.start) if counts[run] == 1}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the most pairs whose second numbers rise, as their first ones do. Source: patience sorting."""
    lowest: list[int] = []  # of all chains of a length, the lowest number that one ends with
    ends: list[int] = []  # and the pair that it ends with
    earlier: list[int | None] = []  # for each pair the one before it in its chain
    for number, (_first, second) in enumerate(pairs):
        length = bisect_left(lowest, second)
        earlier.append(ends[length - 1] if length else None)
        lowest[length : length + 1], ends[length : length + 1] = [second], [number]
    chain = []
    at = ends[-1] if ends else None
    while at is not None:
        chain.append(pairs[at])
        at = earlier[at]
    return chain[::-1]
