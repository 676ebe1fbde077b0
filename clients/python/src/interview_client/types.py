"""What the API returns: JSON as it comes. Times are texts (ISO 8601), durations seconds."""

from typing import Any, Generic, Literal, TypedDict, TypeVar

T = TypeVar("T")


class Page(TypedDict, Generic[T]):
    items: list[T]
    next: str | None


class Interview(TypedDict):
    id: str
    title: str
    job_title: str
    status: Literal["draft", "published", "archived"]
    language: str
    question_count: int


class Invitation(TypedDict):
    """url: whoever has it is the candidate."""

    id: str
    interview_id: str
    candidate_name: str
    candidate_email: str
    url: str
    status: Literal["pending", "started", "finished", "expired", "revoked"]
    created_at: str
    expires_at: str
    external_id: str
    metadata: dict[str, str]
    is_test: bool


class InvitationProgress(Invitation):
    session_id: str | None
    session_status: str | None
    answered: int
    total: int


class Session(TypedDict):
    id: str
    invitation_id: str
    interview_id: str
    candidate_name: str
    external_id: str
    metadata: dict[str, str]
    is_test: bool
    status: Literal["checking", "practising", "under_way", "finished", "abandoned"]
    consented_at: str
    finished_at: str | None
    answered: int
    total: int


class TranscriptState(TypedDict):
    status: Literal["waiting", "done", "failed", "no_engine"]
    is_deferred: bool
    text: str


class Answer(TypedDict):
    """is_stored: whether the recording can be fetched."""

    id: str
    position: int
    follow_up: int
    question: str
    status: str
    duration_s: float | None
    is_stored: bool
    typed_text: str | None
    transcript: TranscriptState | None


class Word(TypedDict):
    word: str
    start: float
    end: float
    confidence: float


class Wording(TypedDict):
    """source: "recognised", "reviewer" or "candidate"."""

    text: str
    start: float
    end: float
    first_word: int
    last_word: int
    source: str


class Transcript(TypedDict):
    status: str
    text: str
    corrected_text: str
    is_reliable: bool
    language: str
    confidence: float | None
    words: list[Word]
    wording: list[Wording]


class Recording(TypedDict):
    """url: works without a key until `expires_at`. sha256: of the samples (16 bits, 16 000 Hz, mono)."""

    url: str
    expires_at: str
    sha256: str
    duration_s: float


class Evaluation(TypedDict):
    decision: dict[str, Any] | None
    scorecards: list[dict[str, Any]] | None


class Candidate(TypedDict):
    id: str
    name: str
    email: str
    invitation_count: int
    last_invited_at: str


class CandidateDetail(Candidate):
    invitations: list[dict[str, Any]]


class Message(TypedDict):
    """An event as webhooks are sent it."""

    type: str
    timestamp: str
    data: dict[str, Any]


class Event(Message):
    """id: the same as `webhook-id`. cursor: send it as `after` to go on behind this event."""

    id: str
    cursor: str


class Events(TypedDict):
    """next: send it as `after` next time."""

    items: list[Event]
    next: str
    has_more: bool


class Webhook(TypedDict):
    id: str
    url: str
    events: list[str]
    description: str
    is_on: bool
    off_reason: str


class WebhookWithSecret(Webhook):
    """secret: told in this answer only."""

    secret: str


class Delivery(TypedDict):
    id: str
    event_id: str
    type: str
    status: Literal["waiting", "delivered", "failed", "dropped"]
    attempts: list[dict[str, Any]]


class Export(TypedDict):
    """url: for `Client.download`; None until it is done."""

    id: str
    kind: str
    status: Literal["waiting", "done", "failed", "ended"]
    done_count: int
    total: int | None
    byte_count: int | None
    sha256: str
    expires_at: str
    url: str | None


class Organisation(TypedDict):
    name: str
    slug: str
    accent_colour: str
    contact_name: str
    contact_email: str
    contact_phone: str


class Erasure(TypedDict):
    id: str
    interview_id: str
    status: Literal["waiting", "done"]
    requested_at: str
    done_at: str | None
