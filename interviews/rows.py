"""What the platform reads before it changes an answer, in one statement (see `voice.sql`)."""

from uuid import UUID

from interviews.models import Answer, Interview, Invitation, Session
from voice import sql
from voice.models import Recording

_ANSWER = sql.Part(
    *(Answer, "a", "id", "session_id", "kind", "position", "status", "version", "recording_id"),
    *("think_seconds", "answer_limit_seconds", "retakes_left"),
)
_SESSION = sql.Part(Session, "s", "id", "invitation_id", "status", "version")
_INVITATION = sql.Part(Invitation, "i", "id", "interview_id", "status", "candidate_name")
_INTERVIEW = sql.Part(Interview, "w", "id", "language", "title", "patience", "is_barge_in_allowed")
_RECORDING = sql.Part(
    Recording, "r", "id", "status", "language", "max_bytes", "byte_count", "stored_segments"
)

_READ = f"""
SELECT {_ANSWER.names}, {_SESSION.names}, {_INVITATION.names}, {_INTERVIEW.names}, {_RECORDING.names}
FROM interviews_answer a
JOIN interviews_session s ON s.id = a.session_id
JOIN interviews_invitation i ON i.id = s.invitation_id
JOIN interviews_interview w ON w.id = i.interview_id
LEFT JOIN voice_recording r ON r.id = a.recording_id
WHERE
"""  # noqa: S608  names of columns, from above

_LOCK = "SELECT 1 FROM interviews_session WHERE id = %s FOR NO KEY UPDATE"


def lock(session_id: UUID) -> None:
    """Let nobody else change the session or its answers until the end of the transaction.

    Whoever changes them takes the session first: so all come in one order, and none waits for each other.
    """
    sql.fetch(_LOCK, session_id)


def answer(session_id: UUID, answer_id: UUID) -> Answer | None:
    """The session's answer of that id, with its recording, session, invitation and interview."""
    return _read("a.id = %s AND a.session_id = %s", answer_id, session_id)


def answer_of(recording_id: UUID) -> Answer | None:
    """The answer that the recording belongs to, with the same."""
    return _read("a.recording_id = %s", recording_id)


def _read(condition: str, *parameters: UUID) -> Answer | None:
    found = sql.fetch(_READ + condition, *parameters)
    if not found:
        return None
    values = list(found[0])
    row: Answer = _ANSWER.take(values)
    row.session = _SESSION.take(values)
    row.session.invitation = _INVITATION.take(values)
    row.session.invitation.interview = _INTERVIEW.take(values)
    row.recording = _RECORDING.take(values)
    return row
