"""What the review page shows of each answer."""

from base64 import b64encode
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from interviews.models import Answer, Session
from interviews.queries.answers import AnswerRecord, complete
from interviews.queries.moments import clock
from interviews.texts.languages import LANGUAGES


@dataclass(frozen=True)
class Reviewed(AnswerRecord):
    """An answer, with its addresses and the words that the page shows about it."""

    @classmethod
    def all_of(cls, session: Session) -> list["Reviewed"]:
        """Return the answers in order, follow-ups after their question."""
        return [cls.of(answer) for answer in _read(session.answers.order_by("position", "follow_up"))]

    @property
    def exchange_url(self) -> str:
        """Of what the language model was sent about this answer; "" if nothing was."""
        if not hasattr(self.answer, "exchange"):
            return ""
        return reverse("admin:interviews_session_exchange", args=[self.answer.session_id, self.answer.pk])

    @property
    def audio_url(self) -> str:
        return reverse("admin:interviews_session_recording", args=[self.answer.session_id, self.answer.pk])

    @property
    def correct_url(self) -> str:
        return reverse("admin:interviews_session_correct", args=[self.answer.session_id, self.answer.pk])

    @property
    def versions_url(self) -> str:
        """Of the versions of the transcript; "" as long as it cannot be transcribed again."""
        if not self.is_playable or self.transcript is None:
            return ""
        return reverse("admin:interviews_versions", args=[self.answer.session_id, self.answer.pk])

    @property
    def peaks(self) -> str:
        """`voice.audio.peaks` of the recording, in base64."""
        return b64encode(self.recording.drawn_peaks).decode() if self.recording else ""

    @property
    def length(self) -> str:
        """Minutes and seconds, as 1:07. Empty while the answer is being recorded."""
        seconds = self.recording.duration_s if self.recording else None
        return "" if seconds is None else clock(seconds)

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
    def is_unanswered(self) -> bool:
        return self.recording is None and not self.answer.typed_text


def one(session: Session, answer_id: UUID | str) -> Reviewed | None:
    """Return one of the session's answers."""
    return next((Reviewed.of(answer) for answer in _read(session.answers.filter(pk=answer_id))), None)


def _read(rows: QuerySet[Answer]) -> QuerySet[Answer]:
    return complete(rows).select_related("recording__transcript", "exchange")
