"""Requests and responses of the REST API. Times are ISO 8601 in UTC, ids are UUIDs, durations in seconds."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from ninja import Field, Schema
from pydantic import AfterValidator, AwareDatetime, StringConstraints

from interviews.models import Answer, Invitation
from voice.models import Recording, Transcript

LONGEST_INVITATION = timedelta(days=3650)


def _without_controls(value: str) -> str:
    if any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in value):
        raise ValueError("it holds control characters")
    return value


def _without_nul(value: str) -> str:
    if any(char == "\0" or 0xD800 <= ord(char) <= 0xDFFF for char in value):
        raise ValueError("it holds a character that cannot be saved")
    return value


def _email_or_empty(value: str) -> str:
    try:
        if value:
            validate_email(value)
    except ValidationError as error:
        raise ValueError("it is no e-mail address") from error
    return value


def _not_too_far(value: datetime) -> datetime:
    if value.replace(tzinfo=None) > (timezone.now() + LONGEST_INVITATION).replace(tzinfo=None):
        raise ValueError("it lies more than ten years ahead")
    return value


Line = Annotated[
    str, StringConstraints(max_length=200, strip_whitespace=True), AfterValidator(_without_controls)
]
Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email_or_empty)]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), AfterValidator(_without_nul)
]
FutureTime = Annotated[AwareDatetime, AfterValidator(_not_too_far)]
InvitationStatus = Literal["pending", "started", "finished", "expired", "revoked"]


class ErrorOut(Schema):
    """Why nothing was done: `code` for programs, `detail` for people."""

    code: str
    detail: str


class InterviewOut(Schema):
    id: UUID
    title: str
    job_title: str
    language: str
    voice: str = Field(description="Empty: the best voice for the language.")
    retention_days: int | None = Field(
        description="So long after the end of an interview its candidate is erased; null: no end."
    )
    created_at: datetime
    question_count: int


class QuestionOut(Schema):
    id: int
    position: int
    text: str
    think_seconds: int
    answer_limit_seconds: int
    retakes: int


class InterviewDetailOut(InterviewOut):
    practice_question: str = Field(description="Empty: a standard one.")
    patience: Literal["quick", "normal", "patient"] = Field(
        description="How long a silence is before the candidate is asked whether there is anything to add."
    )
    is_barge_in_allowed: bool = Field(
        description="Whether speaking while a question is read aloud stops the reading and begins the answer."
    )
    consent_text: str
    questions: list[QuestionOut]


class InvitationIn(Schema):
    candidate_name: Line
    candidate_email: Email = ""
    expires_at: FutureTime | None = Field(None, description="With a time zone; in 14 days if left out.")


class InvitationOut(Schema):
    id: UUID
    interview_id: UUID
    candidate_name: str
    candidate_email: str
    url: str = Field(description="The candidate's link. Whoever holds it is the candidate.")
    status: InvitationStatus
    created_at: datetime
    expires_at: datetime


class InvitationProgressOut(InvitationOut):
    session_id: UUID | None = Field(description="Null until the candidate has given consent.")
    session_status: str | None
    answered: int = Field(alias="answered_count")
    total: int = Field(alias="question_count")

    @staticmethod
    def resolve_session_id(row: Invitation) -> UUID | None:
        return row.session.pk if hasattr(row, "session") else None

    @staticmethod
    def resolve_session_status(row: Invitation) -> str | None:
        return row.session.status if hasattr(row, "session") else None


class AccommodationIn(Schema):
    """What a candidate gets from now on. What is left out is not given."""

    extra_percent: int = Field(0, ge=0, le=300, description="More time to think and to answer; 100 is twice.")
    is_untimed: bool = Field(False, description="Nothing begins or ends by itself.")
    is_written: bool = Field(False, description="Answers are written; no microphone is needed.")
    is_patient: bool = Field(False, description="A pause of up to ten seconds does not end an answer.")
    has_large_text: bool = False
    reason: Reason = Field(description="Kept encrypted, and shown to those who invite. No answer has it.")


class AccommodationOut(Schema):
    extra_percent: int
    is_untimed: bool
    is_written: bool
    is_patient: bool
    has_large_text: bool
    given_at: datetime | None = Field(description="Null: nothing was ever arranged.")


class InvitationStateOut(Schema):
    id: UUID
    status: InvitationStatus
    expires_at: datetime


class ExtensionIn(Schema):
    expires_at: FutureTime = Field(description="With a time zone.")


class ResetIn(Schema):
    expires_at: FutureTime | None = Field(None, description="The new last day; as before if left out.")


class ErasureOut(Schema):
    id: UUID
    interview_id: UUID
    status: Literal["waiting", "done"] = Field(description="done: nothing is found any more.")
    source: Literal["recruiter", "api", "candidate", "retention"] = Field(description="Who asked for it.")
    requested_at: datetime
    done_at: datetime | None
    invitation_status: InvitationStatus = Field(description="As it was then.")
    session_status: str = Field(description="As it was then; empty if the interview had not begun.")
    invited_on: date
    begun_on: date | None
    finished_on: date | None
    answered: int = Field(alias="answer_count")


class LegalHoldOut(Schema):
    id: UUID
    interview_id: UUID
    invitation_id: UUID | None = Field(description="Of one candidate; null: of all of the interview.")
    reason: str
    placed_at: datetime
    ended_at: datetime | None = Field(description="Null while nothing may be erased.")


class SessionOut(Schema):
    id: UUID
    invitation_id: UUID
    interview_id: UUID = Field(alias="invitation.interview_id")
    candidate_name: str = Field(alias="invitation.candidate_name")
    status: Literal["checking", "practising", "under_way", "finished", "abandoned"]
    consented_at: datetime
    last_seen_at: datetime
    finished_at: datetime | None
    answered: int = Field(alias="answered_count")
    total: int = Field(alias="question_count")


class TranscriptStateOut(Schema):
    status: Literal["waiting", "done", "failed", "no_engine"]
    is_deferred: bool
    text: str


class AnswerOut(Schema):
    id: UUID
    position: int
    follow_up: int = Field(description="1, 2, 3 …: a follow-up to the question at this position; 0: itself.")
    is_scripted: bool = Field(description="A follow-up of the recruiter's, not of the language model.")
    question: str = Field(alias="question_text")
    status: Literal["pending", "asked", "recording", "recorded", "accepted"]
    duration_s: float | None = Field(description="Null while nothing was recorded to the end.")
    is_stored: bool = Field(description="Whether the recording can be fetched.")
    typed_text: str | None
    extra_seconds: int = Field(
        description="How much longer the candidate could think: the question was asked twice. It tells "
        "what an accommodation gave, so show it to no one who scores."
    )
    is_silent: bool = Field(description="Nothing was heard until the limit, the second time too.")
    flagged_at: datetime | None = Field(
        description="Since when the candidate says that it was heard wrongly. The export has the corrections."
    )
    transcript: TranscriptStateOut | None

    @staticmethod
    def resolve_duration_s(answer: Answer) -> float | None:
        return answer.recording.duration_s if answer.recording else None

    @staticmethod
    def resolve_is_stored(answer: Answer) -> bool:
        return answer.recording is not None and answer.recording.status == Recording.Status.STORED

    @staticmethod
    def resolve_typed_text(answer: Answer) -> str | None:
        return answer.typed_text or None

    @staticmethod
    def resolve_transcript(answer: Answer) -> Transcript | None:
        return getattr(answer.recording, "transcript", None)


class WordOut(Schema):
    word: str
    start: float = Field(description="Seconds from the first sample.")
    end: float
    confidence: float = Field(description="0 to 1.")


class TranscriptOut(Schema):
    status: Literal["waiting", "done", "failed"]
    text: str
    language: str
    language_probability: float | None
    confidence: float | None = Field(description="0 to 1, mean over the words.")
    engine: str
    model: str
    words: list[WordOut]


class RecordingOut(Schema):
    url: str = Field(description="Works without a key until `expires_at`. FLAC, 16 000 Hz, mono.")
    expires_at: datetime
    sha256: str = Field(description="Of the samples, as s16le.")
    duration_s: float
