"""What the review page shows of each answer."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from interviews.models import Answer, Correction, Session
from interviews.queries import corrections, reliability
from interviews.queries.corrections import Stretch
from interviews.texts.languages import LANGUAGES
from voice.models import Recording, Transcript


@dataclass(frozen=True)
class Reviewed:
    """An answer with its recording, its transcript and what was corrected in it, where they exist."""

    answer: Answer
    recording: Recording | None
    transcript: Transcript | None
    layers: Sequence[Correction] = ()

    @classmethod
    def all_of(cls, session: Session) -> list["Reviewed"]:
        """Return the answers to the questions in order. The practice answer is not kept."""
        return [cls.of(answer) for answer in _answers(session.answers.order_by("position"))]

    @classmethod
    def of(cls, answer: Answer) -> "Reviewed":
        recording = answer.recording
        if recording is not None and recording.status == Recording.Status.DISCARDED:
            recording = None
        transcript = getattr(recording, "transcript", None) if recording else None
        return cls(answer, recording, transcript, list(answer.corrections.all()))

    @property
    def is_playable(self) -> bool:
        return self.recording is not None and self.recording.status == Recording.Status.STORED

    @property
    def audio_url(self) -> str:
        return reverse("admin:interviews_session_recording", args=[self.answer.session_id, self.answer.pk])

    @property
    def correct_url(self) -> str:
        return reverse("admin:interviews_session_correct", args=[self.answer.session_id, self.answer.pk])

    @property
    def peaks(self) -> str:
        """`voice.audio.peaks` of the recording, in base64."""
        return b64encode(self.recording.drawn_peaks).decode() if self.recording else ""

    @property
    def length(self) -> str:
        """Minutes and seconds, as 1:07. Empty while the answer is being recorded."""
        seconds = self.recording.duration_s if self.recording else None
        return "" if seconds is None else f"{round(seconds) // 60}:{round(seconds) % 60:02}"

    @cached_property
    def stretches(self) -> list[Stretch]:
        """The words with their times, as they are corrected; empty if the engine returned none."""
        return corrections.wording(self.transcript, self.layers) if self.transcript else []

    @property
    def history(self) -> list[tuple[Correction, bool]]:
        """Every layer, the newest first, and whether it is in force."""
        standing = {stretch.correction for stretch in self.stretches}
        return [(layer, layer in standing) for layer in reversed(self.layers)]

    @property
    def is_unreliable(self) -> bool:
        """Whether something was recognised that should be listened to instead of read."""
        transcript = self.transcript
        return bool(transcript and transcript.text) and not reliability.is_reliable(transcript)

    @property
    def confidence_percent(self) -> int:
        return round(100 * ((self.transcript and self.transcript.confidence) or 0))

    @property
    def language(self) -> str:
        """The transcript's language by name, or its code if we have no name."""
        code = self.transcript.language if self.transcript else ""
        return str(dict(LANGUAGES).get(code, code))

    @property
    def no_engine(self) -> str:
        """Why there is no transcript."""
        code = self.recording.language if self.recording else ""
        return _("No engine for %(language)s.") % {"language": dict(LANGUAGES).get(code, code)}

    @property
    def separator(self) -> str:
        return corrections.separator(self.transcript) if self.transcript else " "

    @property
    def is_unanswered(self) -> bool:
        return self.recording is None and not self.answer.typed_text


def one(session: Session, answer_id: UUID | str) -> Reviewed | None:
    """Return one of the session's answers."""
    return next((Reviewed.of(answer) for answer in _answers(session.answers.filter(pk=answer_id))), None)


def _answers(rows: QuerySet[Answer]) -> QuerySet[Answer]:
    made = Correction.objects.select_related("made_by")
    found = rows.filter(kind=Answer.Kind.QUESTION)
    return found.select_related("recording__transcript").prefetch_related(Prefetch("corrections", made))
