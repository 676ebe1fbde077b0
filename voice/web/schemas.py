"""Input and output of the REST API. Times in seconds unless the name says otherwise.

Values are checked by `voice.service.requests`, the same for all protocols; here they only get their types.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from ninja import Field, Schema

from voice.service.requests import (
    FORMATS,
    LOUDNESS_DBFS,
    MAX_EMOTION_CHARS,
    MAX_HOT_WORDS_CHARS,
    MAX_RATE_HZ,
    MAX_SPEED,
    MIN_RATE_HZ,
    MIN_SPEED,
    SPEECH_RATE_HZ,
)

ResultFormat = Literal["json", "text", "srt", "vtt"]


class PlaceOut(Schema):
    """One value that is not allowed, and why."""

    field: str = Field(description="Its name, with points between the levels: questions.0.text.")
    pointer: str | None = Field(
        None, description="The same as a JSON pointer into the body: #/questions/0/text."
    )
    detail: str


class ProblemOut(Schema):
    """Why nothing was done (RFC 9457): `code` for programs, `detail` for people."""

    type: str = Field(description="Where the kind of problem is explained.")
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None = Field(None, description="As in X-Request-ID. Operators find it in the log.")
    errors: list[PlaceOut] | None = Field(None, description="Each value that is not allowed.")
    field: str = Field("", description="The first of them.")
    scope: str | None = Field(None, description="Which scope the key lacks.")


class SpeechIn(Schema):
    text: str = Field(description="Plain text, at most VOICE_MAX_TEXT_CHARS characters.")
    voice: str = Field("", description="An id of the voices list; empty: the best for the language.")
    language: str = Field("", description="Such as en or de-DE; empty: the voice's.")
    speed: float = Field(1.0, description=f"{MIN_SPEED:g} to {MAX_SPEED:g}; 1 is the voice's own pace.")
    format: str = Field("mp3", description=f"{', '.join(FORMATS)}; pcm is s16le, mono, 24 000 Hz.")
    emotion: str = Field(
        "", description=f"A hint, at most {MAX_EMOTION_CHARS} characters; most engines ignore it."
    )
    sentiment: bool = Field(False, description="Answer X-Sentiment: the text's tone and keywords, as JSON.")


class ConversionIn(Schema):
    format: str = Field("mp3", description=", ".join(FORMATS))
    sample_rate: int = Field(SPEECH_RATE_HZ, description=f"Hz, {MIN_RATE_HZ} to {MAX_RATE_HZ}.")
    loudness: float = Field(
        LOUDNESS_DBFS, description="Of the speech in it, dBFS, -40 to -10; `keep_level` leaves it as it is."
    )
    keep_level: bool = False
    compress: bool = Field(False, description="Bring loud and soft passages closer together.")
    trim: bool = Field(False, description="Cut silence at both ends.")


class TranscriptionIn(Schema):
    language: str = Field("", description="Such as en; empty has it detected, which takes longer.")
    prompt: str = Field(
        "", description=f"Names and terms likely to be said, at most {MAX_HOT_WORDS_CHARS} characters."
    )
    diarize: bool = Field(False, description="Tell speakers apart: each segment gets a `speaker`.")


class TranscribeIn(TranscriptionIn):
    response_format: ResultFormat = "json"
    sentiment: bool = Field(False, description="Add the text's tone and keywords.")


class WordOut(Schema):
    word: str
    start: float
    end: float
    confidence: float = Field(description="0 to 1.")


class SegmentOut(Schema):
    text: str
    start: float = Field(description="From the first sample.")
    end: float
    avg_logprob: float
    no_speech_prob: float
    words: list[WordOut]
    speaker: str | None = Field(None, description="With `diarize`; null where nobody was made out.")


class SentimentOut(Schema):
    polarity: float = Field(description="-1 to 1.")
    subjectivity: float = Field(description="0 to 1.")
    label: Literal["positive", "neutral", "negative"]
    emotion_words: list[str]


class RecognisedOut(Schema):
    text: str
    language: str
    language_probability: float | None
    duration: float | None
    confidence: float = Field(description="0 to 1, mean over the words.")
    segments: list[SegmentOut]
    engine: str
    model: str
    engine_ms: int = 0
    skipped_frames: int = Field(
        0, description="Damaged or unknown frames of the file; silence replaces them."
    )
    sentiment: SentimentOut | None = None
    keywords: list[str] = []


class VoiceOut(Schema):
    id: str
    name: str
    language: str
    engine: str
    quality: str = Field(description="neural, last_resort or cloned.")
    sample_rate_hz: int = Field(description="The voice's own; what is sent always has 24 000.")
    speakers: list[str] = Field(description="Of a voice that has several: ask for `id#speaker`.")
    sample_url: str

    @staticmethod
    def resolve_sample_url(voice: dict[str, Any], context: dict[str, Any]) -> str:
        namespace = context["request"].resolver_match.namespace  # the API that lists the voice plays it too
        return settings.VOICE["BASE_URL"] + reverse(f"{namespace}:voice-sample", args=[voice["id"]])


class ClonedVoiceOut(Schema):
    voice_id: str = Field(alias="name", description="As it was registered.")
    duration_ms: int = Field(description="Of the reference recording.")
    has_consent: bool = Field(description="The speaker agreed, as whoever registered it said.")
    created_at: datetime


class BatchFileOut(Schema):
    id: UUID
    name: str = Field(alias="file_name")
    status: Literal["waiting", "done", "failed"]
    error: str = Field(alias="last_error")


class BatchSummaryOut(Schema):
    id: UUID
    created_at: datetime
    total: int
    done: int = Field(description="Files that wait no longer, failed ones included.")
    failed: int


class BatchOut(BatchSummaryOut):
    files: list[BatchFileOut]


class BatchesOut(Schema):
    items: list[BatchSummaryOut]
    count: int


class BatchIdOut(Schema):
    id: UUID


TEXT_TYPES = {
    "text": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}
TEXTS = {
    "responses": {
        200: {
            "content": {
                kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in TEXT_TYPES.values()
            }
        }
    }
}
"""A transcript's other formats, beside JSON."""
_BINARY = {"schema": {"type": "string", "format": "binary"}}
AUDIO = {
    "responses": {
        200: {
            "description": "Audio, streamed as it is made. Headers: X-Voice, X-Cached and X-Duration-Ms.",
            "content": dict.fromkeys(FORMATS.values(), _BINARY),
        }
    }
}
