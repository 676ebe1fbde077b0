"""Versions of an answer's transcript, and what is different between two of them, word by word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from django.db.models import Count, Min, Q

from interviews.models import Answer, Session
from interviews.queries import corrections
from voice.models import Recognised, TranscriptVersion

EXACT_UP_TO: Final = 3000
"""Words. Longer texts, of some twenty minutes, are compared by their rarer words first: it is much faster."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Words that are the same in both versions, or what stands in one for what stands in the other.

    same: as the later version has them. gone, new: of the earlier and the later one.
    start_s: when they were said, from the start of the recording.
    """

    same: str
    gone: str
    new: str
    start_s: float


def all_of(answer: Answer) -> list[Recognised]:
    """Return the versions of an answer's transcript in order; the transcript itself if there are none.

    An answer without a transcript has none.
    """
    versions = TranscriptVersion.objects.filter(recording__answer=answer.pk)
    found: list[Recognised] = list(versions.order_by("version"))
    transcript = getattr(answer.recording, "transcript", None)
    return found or ([transcript] if transcript is not None else [])


def progress_of(session: Session) -> tuple[int, int]:
    """Return how many of the versions that were asked for lately are made, and how many there are.

    None of it where nothing waits.
    """
    rows = TranscriptVersion.objects.filter(recording__answer__session=session, version__gt=1)
    waiting = Q(status=TranscriptVersion.Status.WAITING)
    first = rows.filter(waiting).aggregate(first=Min("asked_at"))["first"]
    if first is None:
        return 0, 0
    counted = rows.filter(asked_at__gte=first).aggregate(done=Count("pk", filter=~waiting), total=Count("pk"))
    return counted["done"], counted["total"]


def is_to_be_replaced(session: Session) -> bool:
    """Whether a transcript of the interview is being made that is to be used in the place of another."""
    waiting = TranscriptVersion.objects.filter(status=TranscriptVersion.Status.WAITING, is_to_be_current=True)
    return waiting.filter(recording__answer__session=session).exists()


def count_waiting(organisation_id: int) -> int:
    """Return how many answers of an organisation wait to be transcribed again."""
    waiting = TranscriptVersion.objects.filter(status=TranscriptVersion.Status.WAITING)
    return waiting.filter(
        recording__answer__session__invitation__interview__organisation=organisation_id
    ).count()


def passages(before: Recognised, after: Recognised) -> list[Passage]:
    """Return both versions in one, as they were recognised. Capitals and punctuation are not compared."""
    were, are = _texts(before), _texts(after)
    plain = [[_plain(word) for word in words] for words in (were, are)]
    matcher = SequenceMatcher(a=plain[0], b=plain[1], autojunk=max(len(were), len(are)) > EXACT_UP_TO)
    return list(_passages(before, after, matcher.get_opcodes()))


def count_different(found: Sequence[Passage]) -> int:
    """Return how many passages are different."""
    return sum(1 for passage in found if not passage.same)


def _passages(
    before: Recognised, after: Recognised, steps: Sequence[tuple[str, int, int, int, int]]
) -> Iterator[Passage]:
    for tag, i1, i2, j1, j2 in steps:
        gone, new = (_joined(row, begin, end) for row, begin, end in ((before, i1, i2), (after, j1, j2)))
        at = after.words[j1]["start"] if j1 < j2 else before.words[i1]["start"]
        yield Passage(new, "", "", at) if tag == "equal" else Passage("", gone, new, at)


def _joined(row: Recognised, begin: int, end: int) -> str:
    return corrections.recognised(row, begin, end - 1) if begin < end else ""


def _texts(row: Recognised) -> list[str]:
    return [word["word"].strip() for word in row.words]


def _plain(word: str) -> str:
    """Return the word without capitals and punctuation; a word that is nothing else stays as it is."""
    return "".join(filter(str.isalnum, word)).casefold() or word
