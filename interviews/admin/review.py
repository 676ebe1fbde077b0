"""One answer on the review page."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from interviews.models import Answer, Session
from interviews.texts.languages import LANGUAGES
from voice.models import Recording, Transcript
from voice.text.writing_systems import UNSPACED_LANGUAGES

DOUBTFUL_BELOW = 0.5
"""Words with less confidence are marked: below even odds a word is more likely wrong than right."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and its times, in seconds from the start of the recording."""

    text: str
    start_s: float
    end_s: float
    confidence: float

    @property
    def is_doubtful(self) -> bool:
        return self.confidence < DOUBTFUL_BELOW

    @property
    def percent(self) -> int:
        return round(100 * self.confidence)


@dataclass(frozen=True, slots=True)
class Review:
    """An answer with its recording and its transcript, where they exist."""

    answer: Answer
    recording: Recording | None
    transcript: Transcript | None

    @classmethod
    def all_of(cls, session: Session) -> list["Review"]:
        """Return the answers in order, follow-ups after their question. The practice answer is not kept."""
        rows = session.answers.exclude(kind=Answer.Kind.PRACTICE).order_by("position", "follow_up")
        return [cls.of(answer) for answer in rows.select_related("recording__transcript", "exchange")]

    @classmethod
    def of(cls, answer: Answer) -> "Review":
        recording = answer.recording
        if recording is not None and recording.status == Recording.Status.DISCARDED:
            recording = None
        transcript = getattr(recording, "transcript", None) if recording else None
        return cls(answer, recording, transcript)

    @property
    def is_playable(self) -> bool:
        return self.recording is not None and self.recording.status == Recording.Status.STORED

    @property
    def is_follow_up(self) -> bool:
        return self.answer.kind == Answer.Kind.FOLLOW_UP

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
    def length(self) -> str:
        """Minutes and seconds, as 1:07. Empty while the answer is being recorded."""
        seconds = self.recording.duration_s if self.recording else None
        return "" if seconds is None else f"{round(seconds) // 60}:{round(seconds) % 60:02}"

    @property
    def words(self) -> Iterator[SpokenWord]:
        """The words with their times, if the engine returned any."""
        for word in self.transcript.words if self.transcript else ():
            yield SpokenWord(word["word"].strip(), word["start"], word["end"], word["confidence"])

    @property
    def has_words(self) -> bool:
        return bool(self.transcript and self.transcript.words)

    @property
    def has_doubtful_words(self) -> bool:
        return any(word.is_doubtful for word in self.words)

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
        language = self.transcript.language if self.transcript else ""
        return "" if language in UNSPACED_LANGUAGES else " "

    @property
    def is_asked_again(self) -> bool:
        """Whether nothing was heard the first time, so that the candidate had longer to think."""
        return self.answer.asked_again_at is not None

    @property
    def is_unanswered(self) -> bool:
        return self.recording is None and not self.answer.typed_text
