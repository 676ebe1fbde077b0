"""Sessions, answers, transcripts, recordings. Durations are in seconds."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Field, Schema

from interviews.exports.schema import ExportedTranscript, transcript_of
from interviews.models import Answer
from interviews.queries.answers import AnswerRecord
from interviews.queries.corrections import Stretch
from voice.models import Recording, Transcript


class SessionOut(Schema):
    id: UUID
    invitation_id: UUID
    interview_id: UUID = Field(alias="invitation.interview_id")
    candidate_name: str = Field(alias="invitation.candidate_name")
    external_id: str = Field(alias="invitation.external_id")
    metadata: dict[str, str] = Field(alias="invitation.metadata")
    is_test: bool = Field(alias="invitation.is_test")
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


class WordingOut(Schema):
    """Words as they are read: one that was recognised, or what a correction puts in place of some."""

    text: str
    start: float = Field(description="Seconds from the first sample.")
    end: float
    first_word: int = Field(description="Of the recognised `words` that it stands for, counted from 0.")
    last_word: int
    source: Literal["recognised", "reviewer", "candidate"] = Field(
        description="Whether a reviewer who listened corrected it, or the candidate reworded it afterwards."
    )


class TranscriptOut(ExportedTranscript):
    language_probability: float | None
    wording: list[WordingOut] = Field(
        description="`corrected_text` word by word, with times: a reviewer's correction lies over the "
        "candidate's, and both over what was recognised."
    )


def transcript_out(record: AnswerRecord) -> TranscriptOut | None:
    """Return an answer's transcript with its layers; None without a recording that was completed."""
    told = transcript_of(record)
    if told is None or record.transcript is None:
        return None
    wording = [_wording(stretch) for stretch in record.stretches]
    probability = record.transcript.language_probability
    return TranscriptOut(**told.dict(), language_probability=probability, wording=wording)


def _wording(stretch: Stretch) -> WordingOut:
    return WordingOut(
        text=stretch.text,
        start=stretch.start_s,
        end=stretch.end_s,
        first_word=stretch.first,
        last_word=stretch.last,
        source=_source(stretch),
    )


def _source(stretch: Stretch) -> Literal["recognised", "reviewer", "candidate"]:
    if stretch.correction is None:
        return "recognised"
    return "candidate" if stretch.is_by_candidate else "reviewer"


class RecordingOut(Schema):
    url: str = Field(description="Works without a key until `expires_at`. FLAC, 16 000 Hz, mono.")
    expires_at: datetime
    sha256: str = Field(description="Of the samples, as s16le.")
    duration_s: float
