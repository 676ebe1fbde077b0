"""Reads for a new connection and for a command, in one statement each (see `voice.infra.sql`)."""

import json
from typing import Any
from uuid import UUID

from accounts.models import Organisation
from interviews import tokens
from interviews.models import Accommodation, Answer, Interview, InterviewVersion, Invitation, Session
from interviews.models.accommodation import FIELDS
from voice.infra import sql
from voice.models import Recording

_ANSWER = sql.Part(
    *(Answer, "a", "id", "session_id", "kind", "position", "status", "version", "recording_id"),
    *(
        "think_seconds",
        "answer_limit_seconds",
        "retakes_left",
        "follow_ups_left",
        "scripted_left",
        "asked_at",
        "asked_again_at",
    ),
)
_SESSION = sql.Part(Session, "s", "id", "invitation_id", "definition_id", "status", "version")
_INVITATION = sql.Part(Invitation, "i", "id", "interview_id", "status", "candidate_name", "accommodation_id")
_ACCOMMODATION = sql.Part(Accommodation, "c", "id", *FIELDS)
_ITS_ACCOMMODATION = "interviews_accommodation c ON c.id = i.accommodation_id"
_INTERVIEW = sql.Part(Interview, "w", "id", "organisation_id")
_DEFINITION = sql.Part(
    *(InterviewVersion, "d", "id", "interview_id", "language", "title", "patience", "is_barge_in_allowed"),
    *("vocabulary", "has_page_facts"),
)
_RECORDING = sql.Part(
    *(Recording, "r", "id", "status", "language", "owner", "max_bytes", "byte_count", "segment_ends"),
    *("hot_words",),
)

_LINK = sql.Part(
    *(Invitation, "i", "id", "interview_id", "status", "candidate_name", "expires_at", "token_encrypted"),
    "accommodation_id",
)
_BEGUN = sql.Part(Session, "s", "id", "invitation_id", "definition_id", "status", "version", "finished_at")
_OFFER = sql.Part(
    *(InterviewVersion, "d", "id", "interview_id", "title", "job_title", "language", "voice"),
    *("stand_in_voice", "practice_question", "consent_text", "retention_days", "questions", "vocabulary"),
    *("introduction", "closing_text", "deadline", "contact_name", "contact_email", "contact_phone"),
    *("is_correcting_allowed", "has_page_facts", "is_evaluation_drafted"),
)
_ITS_DEFINITION = (
    "interviews_interviewversion d ON d.id = coalesce(s.definition_id, i.tried_id, w.published_id)"
)
"""What the candidate agreed to; before that, and in sessions of the release before, what is published."""
_ORGANISATION = sql.Part(
    *(Organisation, "o", "id", "name", "accent_colour", "logo"),
    *("contact_name", "contact_email", "contact_phone", "is_language_model_used"),
)
_SHARED_VOCABULARY = """
(
  SELECT v.text FROM interviews_vocabulary v
  WHERE v.organisation_id = w.organisation_id AND v.language = d.language
)
"""

_ASKS_FOR_GROUPS = """
EXISTS (
  SELECT FROM interviews_groupsurvey g
  WHERE g.organisation_id = w.organisation_id AND g.is_asked AND g.asked_since IS NOT NULL
)
"""

_READ_OF = f"""
SELECT {_ANSWER.names}, {_SESSION.names}, {_INVITATION.names}, {_ACCOMMODATION.names}, {_INTERVIEW.names},
  {_DEFINITION.names}, {_RECORDING.names}
FROM interviews_answer a
JOIN interviews_session s ON s.id = a.session_id
JOIN interviews_invitation i ON i.id = s.invitation_id
JOIN interviews_interview w ON w.id = i.interview_id
JOIN {_ITS_DEFINITION}
LEFT JOIN {_ITS_ACCOMMODATION}
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
SELECT {_LINK.names}, {_ACCOMMODATION.names}, {_INTERVIEW.names}, {_ORGANISATION.names}, {_BEGUN.names},
  {_OFFER.names}, {_SHARED_VOCABULARY}, {_ASKS_FOR_GROUPS}
FROM interviews_invitation i
JOIN interviews_interview w ON w.id = i.interview_id
JOIN accounts_organisation o ON o.id = w.organisation_id
LEFT JOIN interviews_session s ON s.invitation_id = i.id
LEFT JOIN {_ITS_ACCOMMODATION}
JOIN {_ITS_DEFINITION}
WHERE
"""  # noqa: S608  names of columns, from above

_READ_SESSION = f"""
SELECT {_SESSION.names}, {_INVITATION.names}, {_ACCOMMODATION.names}, {_INTERVIEW.names}, {_DEFINITION.names},
  {_SHARED_VOCABULARY}
FROM interviews_session s
JOIN interviews_invitation i ON i.id = s.invitation_id
JOIN interviews_interview w ON w.id = i.interview_id
JOIN {_ITS_DEFINITION}
LEFT JOIN {_ITS_ACCOMMODATION}
WHERE s.id = %s
"""  # noqa: S608  names of columns, from above


def link(token: str) -> tuple[Invitation, Session | None] | None:
    """Read the invitation of a link, its interview and organisation, and the session begun with it.

    `invitation.definition` is what the candidate gets.
    """
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
    invitation.accommodation = _ACCOMMODATION.consume(values)
    invitation.interview = _INTERVIEW.consume(values)
    invitation.interview.organisation = _ORGANISATION.consume(values)
    begun: Session | None = _BEGUN.consume(values)
    definition: InterviewVersion = _OFFER.consume(values)
    definition.questions = json.loads(definition.questions)
    definition.interview = invitation.interview
    shared_vocabulary, invitation.is_asked_for_groups = values
    definition.shared_vocabulary = shared_vocabulary or ""
    invitation.definition = definition
    if begun is not None:
        begun.invitation, begun.definition = invitation, definition
    return invitation, begun


def session(session_id: UUID, *, is_locked: bool = False) -> Session:
    """Read the session with its invitation and interview. Raises Session.DoesNotExist.

    is_locked: lock the row until the end of the transaction. Every writer of the session or its answers locks
    the session first, so they run one after the other without a deadlock.
    """
    found = sql.fetch(_READ_SESSION + ("FOR NO KEY UPDATE OF s" if is_locked else ""), session_id)
    if not found:
        raise Session.DoesNotExist
    *values, shared_vocabulary = found[0]
    row = _session(values)
    row.agreed.shared_vocabulary = shared_vocabulary or ""
    return row


def answer(of: Session, answer_id: UUID) -> Answer | None:
    """Read the session's answer with this id, and its recording."""
    found = sql.fetch(_READ_ANSWER + "a.id = %s", of.pk, answer_id)
    return _answer(of, found[0]) if found else None


def practice(of: Session) -> Answer:
    """Read the session's practice answer with its recording. Every session has one."""
    [found] = sql.fetch(_READ_ANSWER + "a.kind = 'practice'", of.pk)
    return _answer(of, found)


def current_answer(of: Session) -> Answer | None:
    """Read the answer that the candidate is at, with its recording; None between questions."""
    is_begun = (
        "a.status IN ('asked', 'recording', 'recorded') ORDER BY a.position DESC, a.follow_up DESC LIMIT 1"
    )
    found = sql.fetch(_READ_ANSWER + is_begun, of.pk)
    return _answer(of, found[0]) if found else None


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
    row.invitation.accommodation = _ACCOMMODATION.consume(values)
    row.invitation.interview = _INTERVIEW.consume(values)
    row.definition = _DEFINITION.consume(values)
    row.definition.interview = row.invitation.interview
    return row


def _answer(of: Session, found: tuple[Any, ...]) -> Answer:
    values = list(found)
    row: Answer = _ANSWER.consume(values)
    row.session = of
    row.recording = _RECORDING.consume(values)
    return row
