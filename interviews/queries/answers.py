"""An answer with everything that is kept of it, for pages and exports alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from django.db.models import Prefetch, QuerySet

from interviews.models import Answer, Correction
from interviews.queries import corrections, reliability
from interviews.queries.corrections import Stretch
from voice.models import Recording, Transcript


@dataclass(frozen=True)
class AnswerRecord:
    """An answer with its recording, its transcript and what was corrected in it, where they exist.

    layers: all corrections, in the order in which they were made.
    """

    answer: Answer
    recording: Recording | None
    transcript: Transcript | None
    layers: Sequence[Correction] = ()

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Return the record of an answer that was read by `complete`."""
        recording = answer.recording
        if recording is not None and recording.status == Recording.Status.DISCARDED:
            recording = None
        transcript = getattr(recording, "transcript", None) if recording else None
        return cls(answer, recording, transcript, list(answer.corrections.all()))

    @property
    def is_playable(self) -> bool:
        return self.recording is not None and self.recording.status == Recording.Status.STORED

    @property
    def is_transcribed(self) -> bool:
        """Whether the transcript is complete."""
        return self.transcript is not None and self.transcript.status == Transcript.Status.DONE

    @property
    def corrected_elsewhere(self) -> int | None:
        """The version that the candidate corrected, where another one is used. All layers count for it."""
        return corrections.corrected_elsewhere(self.transcript, self.answer.corrections.all())

    @property
    def is_disputed(self) -> bool:
        """Whether the candidate says that it was heard wrongly, or corrected another version."""
        return self.answer.flagged_at is not None or self.corrected_elsewhere is not None

    @property
    def is_unsure(self) -> bool:
        """Whether the computer was too unsure of what it recognised."""
        transcript = self.transcript
        return bool(transcript and transcript.text) and not reliability.is_reliable(transcript)

    @property
    def is_unreliable(self) -> bool:
        """Whether something was recognised that should be listened to instead of read."""
        return self.is_unsure or bool(self.is_disputed and self.transcript and self.transcript.text)

    @property
    def confidence_percent(self) -> int:
        return round(100 * ((self.transcript and self.transcript.confidence) or 0))

    @cached_property
    def stretches(self) -> list[Stretch]:
        """The words with their times, as they are corrected; empty if the engine returned none."""
        return corrections.wording(self.transcript, self.layers) if self.transcript else []

    @property
    def text(self) -> str:
        """What was said, as it is corrected; empty without a complete transcript."""
        if self.transcript is None or not self.is_transcribed:
            return ""
        return corrections.corrected_text(self.transcript, self.layers)

    @property
    def has_words_of_candidate(self) -> bool:
        """Whether some of the words are those that the candidate says were said."""
        return any(one.is_by_candidate for one in self.stretches)

    @property
    def separator(self) -> str:
        """What stands between two words."""
        return corrections.separator(self.transcript) if self.transcript else " "

    @property
    def history(self) -> list[tuple[Correction, bool]]:
        """Every layer, the newest first, and whether it is in force."""
        standing = {stretch.correction for stretch in self.stretches}
        return [(layer, layer in standing) for layer in reversed(self.layers)]


def complete(rows: QuerySet[Answer]) -> QuerySet[Answer]:
    """`rows` of questions and follow-ups, with what `AnswerRecord.of` needs: two statements for any number.

    The practice answer is not kept.
    """
    made = Correction.objects.select_related("made_by")
    found = rows.exclude(kind=Answer.Kind.PRACTICE)
    return found.select_related("recording__transcript").prefetch_related(Prefetch("corrections", made))
