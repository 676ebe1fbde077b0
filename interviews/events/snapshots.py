"""The state of a session as the browser gets it. An event holds the parts of it that changed.

The browser puts these parts in the place of older ones (static/interviews/state.js). For every action, the
snapshot before with its events applied equals the snapshot after.
"""

import logging
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from interviews.models import Answer, Session
from interviews.queries import progress
from interviews.states import AnswerStatus, SessionStatus
from voice.encryption import values
from voice.errors import VoiceError
from voice.infra import sql
from voice.speech import rendering

logger = logging.getLogger(__name__)


class AnswerRow(NamedTuple):
    """The published columns of an answer, as read from the database."""

    id: UUID
    version: int
    kind: str
    position: int
    follow_up: int
    question_text: str
    speech_key: str
    is_spoken: bool | None
    speech_ms: int | None
    think_seconds: int
    answer_limit_seconds: int
    retakes_left: int
    follow_ups_left: int
    scripted_left: int
    follow_up_by: datetime | None
    status: str
    asked_at: datetime | None
    asked_again_at: datetime | None
    is_silent: bool
    typed_text: str
    recording_id: UUID | None
    recording_status: str | None
    byte_count: int | None
    transcript_status: str | None
    is_deferred: bool | None
    text: str | None
    """As it is stored: encrypted, where encryption at rest is on."""
    accommodation_id: int | None
    """Of the candidate. Read here, it is never older than the session's version."""


_ANSWERS = """
SELECT a.id, a.version, a.kind, a.position, a.follow_up, a.question_text, a.speech_key, p.status = 'ready',
  p.duration_ms, a.think_seconds, a.answer_limit_seconds, a.retakes_left, a.follow_ups_left, a.scripted_left,
  a.follow_up_by, a.status, a.asked_at, a.asked_again_at,
  a.is_silent, a.typed_text,
  r.id, r.status, r.byte_count, t.status, t.is_deferred, t.text, i.accommodation_id
FROM interviews_answer a
JOIN interviews_session s ON s.id = a.session_id
JOIN interviews_invitation i ON i.id = s.invitation_id
LEFT JOIN voice_speech p ON p.key = a.speech_key
LEFT JOIN voice_recording r ON r.id = a.recording_id
LEFT JOIN voice_transcript t ON t.recording_id = r.id
WHERE a.session_id = %s
ORDER BY a.position, a.follow_up
"""


def snapshot(session: Session) -> dict:
    """Return the complete state of a session: {type, session, answers, now}."""
    answers = answers_of(session)
    return {
        "type": "snapshot",
        "session": session_state(session, answers),
        "answers": [answer_state(answer) for answer in answers],
        "now": timezone.now().isoformat(),
    }


def answers_of(session: Session) -> list[AnswerRow]:
    """Read every answer of the session, in order, in one statement."""
    return [AnswerRow(*row) for row in sql.fetch(_ANSWERS, session.pk)]


def session_state(session: Session, answers: list[AnswerRow]) -> dict:
    """Return the session's own part of the state."""
    invitation = session.invitation
    current = _current(session, answers)
    return {
        "id": str(session.id),
        "version": session.version,
        "status": session.status,
        "current_answer": current and str(current.id),
        "is_follow_up_awaited": current is not None and current.follow_up_by is not None,
        "language": session.agreed.language,
        "candidate_name": invitation.candidate_name,
        "title": session.agreed.title,
        "is_barge_in_allowed": session.agreed.is_barge_in_allowed,
        "accommodation": _accommodation_state(session, answers),
        "has_page_facts": session.agreed.has_page_facts and invitation.accommodation_id is None,
    }


def _accommodation_state(session: Session, answers: list[AnswerRow]) -> dict | None:
    """Return what the page does differently for this candidate; None: nothing."""
    invitation = session.invitation
    if answers:  # the row in memory may be outdated
        invitation.accommodation_id = answers[0].accommodation_id
    given = invitation.accommodation
    return None if given is None or given.is_none else given.state


def _current(session: Session, answers: list[AnswerRow]) -> AnswerRow | None:
    """Return the answer that is due, also while the candidate practises."""
    if session.status == SessionStatus.PRACTISING:
        mine = [a for a in answers if a.kind == Answer.Kind.PRACTICE]
    elif session.status == SessionStatus.UNDER_WAY:
        mine = [a for a in answers if a.kind != Answer.Kind.PRACTICE]
    else:
        return None
    return progress.due(mine)


def answer_state(answer: AnswerRow) -> dict:
    """Return the state of one question and its answer. What is asked is told when it is asked, not before."""
    is_told = answer.status != AnswerStatus.PENDING
    is_spoken = is_told and answer.is_spoken
    asked_at = answer.asked_again_at or answer.asked_at
    return {
        "id": str(answer.id),
        "version": answer.version,
        "kind": answer.kind,
        "position": answer.position,
        "follow_up": answer.follow_up,
        "question": answer.question_text if is_told else None,
        "speech_url": rendering.url(answer.speech_key) if is_spoken else None,
        "speech_s": (answer.speech_ms or 0) / 1000 if is_spoken else None,
        "think_s": answer.think_seconds,
        "limit_s": answer.answer_limit_seconds,
        "retakes_left": answer.retakes_left,
        "may_be_followed_up": answer.follow_ups_left > 0 or answer.scripted_left > 0,
        "status": answer.status,
        "asked_at": asked_at and asked_at.isoformat(),
        "is_asked_again": answer.asked_again_at is not None,
        "is_silent": answer.is_silent,
        "recording": _recording_state(answer),
        "typed_text": answer.typed_text or None,
        "transcript": _transcript_state(answer),
    }


def _recording_state(answer: AnswerRow) -> dict | None:
    if answer.recording_id is None:
        return None
    return {"id": str(answer.recording_id), "status": answer.recording_status, "bytes": answer.byte_count}


def _transcript_state(answer: AnswerRow) -> dict | None:
    if answer.transcript_status is None:
        return None  # not created yet, or deleted
    return {"status": answer.transcript_status, "is_deferred": answer.is_deferred, "text": _text(answer)}


def _text(answer: AnswerRow) -> str:
    """Return the text of the transcript; an empty one where it cannot be decrypted: the interview goes on."""
    try:
        return values.decrypted(answer.text or "", about="voice_transcript.text")
    except (VoiceError, OSError) as error:
        logger.warning("the transcript of answer %s cannot be read: %s", answer.id, error)
        return ""
