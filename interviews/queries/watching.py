"""Interviews under way, as staff watch them: one page of them, and how many there are.

Each function is one statement, however many candidates there are. Nothing here tells of scores or decisions.
How long candidates think would tell of an accommodation, so those who score get their stands `without_pace`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts import access
from accounts.models import User
from interviews import states
from interviews.models import Answer, Invitation, Session
from interviews.queries.progress import Progress, due
from interviews.states import AnswerStatus, SessionStatus

UNSEEN_AFTER: Final = timedelta(minutes=30)
"""Who was not seen for so long is listed apart. A connected candidate is seen every minute."""
TO_ORGANISATION = "invitation__interview__organisation_id"


class Doing(StrEnum):
    """What a candidate does just now."""

    CHECKING = "checking"
    PRACTISING = "practising"
    BETWEEN = "between"  # the next question has not been asked yet
    THINKING = "thinking"
    ANSWERING = "answering"
    ANSWERED = "answered"  # may record again
    AWAITING = "awaiting"  # perhaps a follow-up question
    AT_QUESTION = "at-question"  # any of the five before


class Stand(NamedTuple):
    """Where a candidate is. number: of the current question, 2 or 2.1; "" before the first one."""

    doing: Doing
    number: str
    progress: Progress


class Counts(NamedTuple):
    """How many interviews are under way: of those who are here by status, and of those who were not seen."""

    checking: int
    practising: int
    under_way: int
    unseen: int

    @property
    def here(self) -> int:
        """All who were seen."""
        return self.checking + self.practising + self.under_way


def under_way(user: User) -> QuerySet[Session]:
    """Return the interviews under way that the user may see; links that were revoked have ended."""
    rows = Session.objects.counted().filter(
        status__in=states.OPEN_SESSION_STATUSES, invitation__status=Invitation.Status.STARTED
    )
    return access.scoped(rows, user, path=TO_ORGANISATION)


def count(rows: QuerySet[Session], *, now: datetime) -> Counts:
    """Count interviews under way."""
    is_here = _is_here(now)
    return Counts(
        **rows.order_by().aggregate(
            **{status: Count("pk", filter=is_here & Q(status=status)) for status in Counts._fields[:3]},
            unseen=Count("pk", filter=~is_here),
        )
    )


def page(
    rows: QuerySet[Session], *, is_unseen: bool, first: int, size: int, now: datetime
) -> QuerySet[Session]:
    """Return some interviews in an order that events do not change: who began first comes first."""
    chosen = rows.exclude(_is_here(now)) if is_unseen else rows.filter(_is_here(now))
    ordered = chosen.select_related("invitation__interview").order_by("consented_at", "pk")
    return ordered[first : first + size]


def _is_here(now: datetime) -> Q:
    return Q(last_seen_at__gt=now - UNSEEN_AFTER)


class Told(NamedTuple):
    """What is read of an answer."""

    session_id: UUID
    kind: str
    position: int
    follow_up: int
    status: str
    follow_up_by: datetime | None


def stands(sessions: Iterable[Session]) -> dict[UUID, Stand]:
    """Return where each candidate is."""
    statuses = {session.pk: session.status for session in sessions}
    found = Answer.objects.filter(session__in=statuses).exclude(kind=Answer.Kind.PRACTICE)
    answers = defaultdict[UUID, list[Told]](list)
    for values in found.order_by("position", "follow_up").values_list(*Told._fields):
        answers[values[0]].append(Told(*values))
    return {pk: stand(status, answers[pk]) for pk, status in statuses.items()}


def stand(status: str, answers: Sequence[Told]) -> Stand:
    """Return where a candidate is. answers: in order, without the practice."""
    questions = [answer for answer in answers if answer.kind == Answer.Kind.QUESTION]
    answered = sum(answer.status == AnswerStatus.ACCEPTED for answer in questions)
    progress = Progress(answered, len(questions))
    if status != SessionStatus.UNDER_WAY:
        doing = Doing.CHECKING if status == SessionStatus.CHECKING else Doing.PRACTISING
        return Stand(doing, "", progress)
    current = due(answers)
    if current is None:
        return Stand(Doing.BETWEEN, "", progress)
    doing = _DOING[current.status] if current.follow_up_by is None else Doing.AWAITING
    return Stand(doing, _number(current), progress)


def without_pace(stand: Stand) -> Stand:
    """Return the same stand, without what tells how long the candidate thinks and speaks."""
    return stand._replace(doing=Doing.AT_QUESTION) if stand.number else stand


_DOING: Final[dict[str, Doing]] = {
    AnswerStatus.PENDING: Doing.BETWEEN,
    AnswerStatus.ASKED: Doing.THINKING,
    AnswerStatus.RECORDING: Doing.ANSWERING,
    AnswerStatus.RECORDED: Doing.ANSWERED,
}


def _number(answer: Told) -> str:
    return Answer(position=answer.position, follow_up=answer.follow_up).number
