"""Versions of an answer's transcript, and what is different between two of them, word by word."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Min, Q

from interviews.models import Answer, Session
from interviews.queries import corrections
from voice.models import Recognised, TranscriptVersion
from voice.text.differences import compared


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
    were, are = before.words, after.words
    found = []
    for part in compared(_plain_words(were), _plain_words(are)):
        gone, new = _joined(before, were[part.before]), _joined(after, are[part.after])
        at = (are[part.after] or were[part.before])[0]["start"]
        found.append(Passage(new, "", "", at) if part.is_same else Passage("", gone, new, at))
    return found


def count_different(found: Sequence[Passage]) -> int:
    """Return how many passages are different."""
    return sum(1 for passage in found if not passage.same)


def _joined(row: Recognised, words: Sequence[dict]) -> str:
    return corrections.separator(row).join(word["word"].strip() for word in words)


def _plain_words(words: Sequence[dict]) -> list[str]:
    """Return the words without capitals and punctuation; a word that is nothing else stays as it is."""
    texts = (word["word"].strip() for word in words)
    return ["".join(filter(str.isalnum, text)).casefold() or text for text in texts]
