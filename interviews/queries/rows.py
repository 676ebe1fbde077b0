"""Reads for a new connection and for a command, in one statement each (see `voice.infra.sql`)."""

from typing import Any
from uuid import UUID

from accounts.models import Organisation
from interviews import tokens
from interviews.models import Answer, Interview, Invitation, Question, Session
from voice.infra import sql
from voice.models import Recording

_ANSWER = sql.Part(
    *(Answer, "a", "id", "session_id", "kind", "position", "status", "version", "recording_id"),
    *("think_seconds", "answer_limit_seconds", "retakes_left", "asked_at", "asked_again_at"),
)
_SESSION = sql.Part(Session, "s", "id", "invitation_id", "status", "version")
_INVITATION = sql.Part(Invitation, "i", "id", "interview_id", "status", "candidate_name")
_INTERVIEW = sql.Part(
    Interview, "w", "id", "organisation_id", "language", "title", "patience", "is_barge_in_allowed"
)
_RECORDING = sql.Part(
    Recording, "r", "id", "status", "language", "owner", "max_bytes", "byte_count", "segment_ends"
)

_LINK = sql.Part(
    *(Invitation, "i", "id", "interview_id", "status", "candidate_name", "expires_at", "token_encrypted"),
)
_BEGUN = sql.Part(Session, "s", "id", "invitation_id", "status", "version", "finished_at")
_OFFER = sql.Part(
    *(Interview, "w", "id", "organisation_id", "title", "job_title", "language", "voice", "stand_in_voice"),
    *("practice_question", "consent_text", "retention_days"),
)
_ORGANISATION = sql.Part(Organisation, "o", "id", "name", "accent_colour")
_QUESTION = sql.Part(
    *(Question, "q", "id", "interview_id", "position", "text"),
    *("think_seconds", "answer_limit_seconds", "retakes"),
)

_READ_OF = f"""
SELECT {_ANSWER.names}, {_SESSION.names}, {_INVITATION.names}, {_INTERVIEW.names}, {_RECORDING.names}
FROM interviews_answer a
JOIN interviews_session s ON s.id = a.session_id
JOIN interviews_invitation i ON i.id = s.invitation_id
JOIN interviews_interview w ON w.id = i.interview_id
JOIN voice_recording r ON r.id = a.recording_id
WHERE a.recording_id = %s
"""  # noqa: S608  names of columns, from above

_READ_ANSWER = f"""
SELECT {_ANSWER.names}, {_RECORDING.names}
FROM interviews_answer a
LEFT JOIN voice_recording r ON r.id = a.recording_id
WHERE a.session_id = %s AND
"""  # noqa: S608  names of columns, from above

_READ_LINK = f"""
SELECT {_LINK.names}, {_OFFER.names}, {_ORGANISATION.names}, {_BEGUN.names}
FROM interviews_invitation i
JOIN interviews_interview w ON w.id = i.interview_id
JOIN accounts_organisation o ON o.id = w.organisation_id
LEFT JOIN interviews_session s ON s.invitation_id = i.id
WHERE
"""  # noqa: S608  names of columns, from above

_READ_QUESTIONS = f"""
SELECT {_QUESTION.names} FROM interviews_question q WHERE q.interview_id = %s ORDER BY q.position, q.id
"""  # noqa: S608  names of columns, from above

_READ_SESSION = f"""
SELECT {_SESSION.names}, {_INVITATION.names}, {_INTERVIEW.names}
FROM interviews_session s
JOIN interviews_invitation i ON i.id = s.invitation_id
JOIN interviews_interview w ON w.id = i.interview_id
WHERE s.id = %s
"""  # noqa: S608  names of columns, from above


def link(token: str) -> tuple[Invitation, Session | None] | None:
    """Read the invitation of a link, its interview and organisation, and the session begun with it."""
    return _link(
        "i.token_hash = ANY(%s) OR (i.token_hash IS NULL AND i.token = %s)", tokens.digests(token), token
    )


def link_of(invitation_id: UUID) -> tuple[Invitation, Session | None] | None:
    """Read the same for an invitation whose id is known."""
    return _link("i.id = %s", invitation_id)


def _link(condition: str, *parameters: object) -> tuple[Invitation, Session | None] | None:
    found = sql.fetch(_READ_LINK + condition, *parameters)
    if not found:
        return None
    values = list(found[0])
    invitation: Invitation = _LINK.consume(values)
    invitation.interview = _OFFER.consume(values)
    invitation.interview.organisation = _ORGANISATION.consume(values)
    begun: Session | None = _BEGUN.consume(values)
    if begun is not None:
        begun.invitation = invitation
    return invitation, begun


def questions(interview_id: UUID) -> list[Question]:
    """Read the questions of an interview, in order."""
    return [_QUESTION.of(row) for row in sql.fetch(_READ_QUESTIONS, interview_id)]


def session(session_id: UUID, *, is_locked: bool = False) -> Session:
    """Read the session with its invitation and interview. Raises Session.DoesNotExist.

    is_locked: lock the row until the end of the transaction. Every writer of the session or its answers locks
    the session first, so they run one after the other without a deadlock.
    """
    found = sql.fetch(_READ_SESSION + ("FOR NO KEY UPDATE OF s" if is_locked else ""), session_id)
    if not found:
        raise Session.DoesNotExist
    return _session(list(found[0]))


def answer(of: Session, answer_id: UUID) -> Answer | None:
    """Read the session's answer with this id, and its recording."""
    found = sql.fetch(_READ_ANSWER + "a.id = %s", of.pk, answer_id)
    return _answer(of, found[0]) if found else None


def practice(of: Session) -> Answer:
    """Read the session's practice answer with its recording. Every session has one."""
    [found] = sql.fetch(_READ_ANSWER + "a.kind = 'practice'", of.pk)
    return _answer(of, found)


def answer_of(recording_id: UUID) -> Answer | None:
    """Read the answer of a recording, with its session, invitation and interview."""
    found = sql.fetch(_READ_OF, recording_id)
    if not found:
        return None
    values = list(found[0])
    row: Answer = _ANSWER.consume(values)
    row.session = _session(values)
    row.recording = _RECORDING.consume(values)
    return row


def _session(values: list[Any]) -> Session:
    row: Session = _SESSION.consume(values)
    row.invitation = _INVITATION.consume(values)
    row.invitation.interview = _INTERVIEW.consume(values)
    return row


def _answer(of: Session, found: tuple[Any, ...]) -> Answer:
    values = list(found)
    row: Answer = _ANSWER.consume(values)
    row.session = of
    row.recording = _RECORDING.consume(values)
    return row
