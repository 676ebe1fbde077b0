"""What a candidate changed in the words of an answer, as corrections of recognised words. Pure.

The candidate edits the whole text in a text box. Each run of words that differs becomes one change, so that
all others keep their times and their confidence.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from interviews.models import Correction
from interviews.queries.corrections import Stretch, corrected_text, recognised, separator, wording
from voice.models import Transcript
from voice.text.writing_systems import UNSPACED_LANGUAGES

MOST_COMPARED: Final = 3_000
"""Words that are compared, which are twenty minutes. What differs in a longer answer is one change from its
first word to its last: a text that is made to be compared slowly costs about a second."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is said instead of the recognised words `first_word` to `last_word`, as in `Correction`."""

    first_word: int
    last_word: int
    text: str | None


@dataclass(slots=True)
class _Run:
    """Stretches `first` to `last`, whose words become the words [start, end) of the new text."""

    first: int
    last: int
    start: int
    end: int


def digest(transcript: Transcript, own: Iterable[Correction]) -> str:
    """Return a name of the text as the candidate sees it: what is changed must be what was shown."""
    return hashlib.sha256(corrected_text(transcript, own).encode()).hexdigest()


def changes(transcript: Transcript, own: Iterable[Correction], text: str) -> list[Change]:
    """Return what the candidate changed, in the order of the words.

    own: the candidate's corrections until now, which the text was shown with. text: as it was sent back.
    """
    stretches = wording(transcript, own)
    words = [_words(stretch.text, transcript) for stretch in stretches]
    owners = [number for number, each in enumerate(words) for _ in each]
    before, after = [word for each in words for word in each], _words(text, transcript)
    if not before:
        return []
    found = (_change(transcript, stretches, run, after) for run in _runs(before, after, owners))
    return [change for change in found if change]


def _words(text: str, transcript: Transcript) -> list[str]:
    """Return the words of a text; of a language without spaces, its characters."""
    return list("".join(text.split())) if transcript.language in UNSPACED_LANGUAGES else text.split()


def _change(
    transcript: Transcript, stretches: Sequence[Stretch], run: _Run, after: Sequence[str]
) -> Change | None:
    """Return a run as a change: none if nothing is said otherwise, and `None` for what was recognised."""
    first, last = stretches[run.first].first, stretches[run.last].last
    joined = separator(transcript).join
    text = joined(after[run.start : run.end])
    if text != joined(_words(recognised(transcript, first, last), transcript)):
        return Change(first, last, text)
    is_corrected = any(one.correction for one in stretches[run.first : run.last + 1])
    return Change(first, last, None) if is_corrected else None


def _runs(before: Sequence[str], after: Sequence[str], owners: Sequence[int]) -> list[_Run]:
    """Return what differs, in whole stretches. Words that come in belong to the stretch before them."""
    runs: list[_Run] = []
    for i1, i2, j1, j2 in _differences(before, after):
        first = owners[i1 if i2 > i1 else max(i1 - 1, 0)]
        last = owners[i2 - 1] if i2 > i1 else first
        begin, end = bisect_left(owners, first), bisect_right(owners, last)
        run = _Run(first, last, start=j1 - (i1 - begin), end=j2 + (end - i2))
        if runs and runs[-1].last >= first:
            run.first, run.start = runs[-1].first, runs[-1].start
            runs[-1] = run
        else:
            runs.append(run)
    return runs


def _differences(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield (i1, i2, j1, j2): before[i1:i2] became after[j1:j2]."""
    if max(len(before), len(after)) <= MOST_COMPARED:
        for tag, *places in SequenceMatcher(a=before, b=after).get_opcodes():
            if tag != "equal":
                yield (places[0], places[1], places[2], places[3])
        return
    start = _common(before, after)
    shorter = min(len(before), len(after)) - start
    end = min(shorter, _common(before[::-1], after[::-1]))
    if len(before) != len(after) or start < len(before):
        yield start, len(before) - end, start, len(after) - end


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return with how many equal words both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))
