"""What a candidate changed in the words of an answer, as corrections of recognised words. Pure.

The candidate edits the whole text in a text box. Each run of words that differs becomes one change, so that
all others keep their times and their confidence.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from interviews.models import Correction
from interviews.queries.corrections import Stretch, corrected_text, separator, wording
from voice.models import Transcript
from voice.text.differences import compared
from voice.text.writing_systems import UNSPACED_LANGUAGES


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
    """Return a name of the text as the candidate sees it: what is changed must be what was shown.

    It also names the version and the corrections, because the same text can be made of other words.
    """
    layers = list(own)
    made_of = [transcript.version, *sorted(str(layer.pk) for layer in layers)]
    return hashlib.sha256(f"{made_of} {corrected_text(transcript, layers)}".encode()).hexdigest()


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
    heard = [word["word"] for word in transcript.words]
    found = []
    for run in _runs(before, after, owners):
        touched = stretches[run.first : run.last + 1]
        was = _words(" ".join(heard[touched[0].first : touched[-1].last + 1]), transcript)
        found.append(_change(touched, was, after[run.start : run.end], separator(transcript)))
    return [change for change in found if change]


def _words(text: str, transcript: Transcript) -> list[str]:
    """Return the words of a text; of a language without spaces, its characters."""
    return list("".join(text.split())) if transcript.language in UNSPACED_LANGUAGES else text.split()


def _change(
    touched: Sequence[Stretch], heard: Sequence[str], written: Sequence[str], between: str
) -> Change | None:
    """Return a run as a change: none if nothing is said otherwise, and `None` for what was recognised.

    touched: the stretches of the run. heard: the words that were recognised there.
    """
    first, last = touched[0].first, touched[-1].last
    if heard != written:
        return Change(first, last, between.join(written))
    return Change(first, last, None) if any(one.correction for one in touched) else None


def _runs(before: Sequence[str], after: Sequence[str], owners: Sequence[int]) -> list[_Run]:
    """Return what differs, in whole stretches. Words that come in belong to the stretch before them."""
    runs: list[_Run] = []
    for part in compared(before, after):
        if part.is_same:
            continue
        i1, i2, j1, j2 = part.before.start, part.before.stop, part.after.start, part.after.stop
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
