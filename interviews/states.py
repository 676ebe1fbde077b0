"""Statuses and the transitions between them. Pure: no database, no Django.

A status changes only by one of the transitions below, and only by compare-and-set
(see `interviews.actions.transitions.move`), so two processes can never both make the same transition.
"""

from dataclasses import dataclass
from enum import StrEnum


class InterviewStatus(StrEnum):
    DRAFT = "draft"  # nobody can be invited yet
    PUBLISHED = "published"
    ARCHIVED = "archived"  # nobody more is invited; links that are out go on working


class InvitationStatus(StrEnum):
    PENDING = "pending"  # the link was made, the candidate has not consented yet
    STARTED = "started"
    FINISHED = "finished"
    EXPIRED = "expired"
    REVOKED = "revoked"


class SessionStatus(StrEnum):
    CHECKING = "checking"  # consent given; microphone and speaker are tried
    PRACTISING = "practising"
    UNDER_WAY = "under_way"
    FINISHED = "finished"
    ABANDONED = "abandoned"  # the candidate did not come back in time; recordings are kept


class AnswerStatus(StrEnum):
    PENDING = "pending"
    ASKED = "asked"  # the question was shown and spoken
    RECORDING = "recording"
    RECORDED = "recorded"  # complete; a retake is still possible
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Transition:
    """A change to `target`, allowed from any of `sources`."""

    sources: frozenset[str]
    target: str


def _from(*sources: str, to: str) -> Transition:
    return Transition(frozenset(map(str, sources)), str(to))


W, I, S, A = InterviewStatus, InvitationStatus, SessionStatus, AnswerStatus  # noqa: E741

PUBLISH = _from(W.DRAFT, to=W.PUBLISHED)
ARCHIVE = _from(W.DRAFT, W.PUBLISHED, to=W.ARCHIVED)
RESTORE = _from(W.ARCHIVED, to=W.DRAFT)

START_INVITATION = _from(I.PENDING, to=I.STARTED)
FINISH_INVITATION = _from(I.STARTED, to=I.FINISHED)
EXPIRE_INVITATION = _from(I.PENDING, I.STARTED, to=I.EXPIRED)
REVOKE_INVITATION = _from(I.PENDING, I.STARTED, I.FINISHED, I.EXPIRED, to=I.REVOKED)
REOPEN_INVITATION = _from(I.EXPIRED, to=I.PENDING)
RESET_INVITATION = _from(I.STARTED, I.FINISHED, I.EXPIRED, to=I.PENDING)  # its session was set aside

PRACTISE = _from(S.CHECKING, to=S.PRACTISING)
GET_UNDER_WAY = _from(S.PRACTISING, to=S.UNDER_WAY)
FINISH_SESSION = _from(S.UNDER_WAY, to=S.FINISHED)
ABANDON_SESSION = _from(S.CHECKING, S.PRACTISING, S.UNDER_WAY, to=S.ABANDONED)

ASK = _from(A.PENDING, to=A.ASKED)
BEGIN_ANSWER = _from(A.PENDING, A.ASKED, to=A.RECORDING)
COMPLETE_ANSWER = _from(A.RECORDING, to=A.RECORDED)
ASK_AGAIN = _from(A.RECORDING, to=A.ASKED)  # nothing was heard until the limit
RETAKE = _from(A.RECORDED, to=A.RECORDING)
ACCEPT_ANSWER = _from(A.RECORDED, to=A.ACCEPTED)
ACCEPT_AT_ONCE = _from(A.RECORDING, to=A.ACCEPTED)  # no retake is left
TYPE_ANSWER = _from(A.PENDING, A.ASKED, A.RECORDING, A.RECORDED, to=A.ACCEPTED)
END_PRACTICE = _from(A.PENDING, A.ASKED, A.RECORDING, A.RECORDED, to=A.ACCEPTED)

OPEN_SESSION_STATUSES = (S.CHECKING, S.PRACTISING, S.UNDER_WAY)
