"""What waits for a member of staff: candidates to score, and notes that mention the person."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import access
from accounts.models import User
from interviews import states
from interviews.models import Mention, Session, Submission

TO_ORGANISATION = "invitation__interview__organisation_id"
NEXT = 12


@dataclass(frozen=True, slots=True)
class Waiting:
    """to_score: how many sessions. next: the first of them. mentions: not seen yet, the newest first."""

    to_score: int
    next: list[Session]
    mentions: list[Mention]


def of(user: User) -> Waiting:
    """Return what waits for the user."""
    rows = to_score(user)
    found = mentions(user).select_related("note__author", "note__session__invitation__interview")
    return Waiting(rows.count(), list(rows[:NEXT]), list(found.order_by("-note__written_at")[:NEXT]))


def mentions(user: User) -> QuerySet[Mention]:
    """Return the notes that mention the user, and that the user has not marked as seen."""
    found = Mention.objects.filter(person=user, seen_at=None, note__session__in=Session.objects.counted())
    return access.scoped(found, user, path=f"note__session__{TO_ORGANISATION}")


def to_score(user: User) -> QuerySet[Session]:
    """Return sessions that the user is to score and has not; the candidate who waits longest first."""
    submitted = Submission.objects.filter(scorecard__session=OuterRef("pk"), scorecard__reviewer=user)
    rows = Session.objects.counted().filter(assignments__reviewer=user, definition__isnull=False)
    rows = rows.exclude(status__in=states.OPEN_SESSION_STATUSES).exclude(definition__rubric=[])
    own = access.scoped(rows.exclude(Exists(submitted)), user, path=TO_ORGANISATION)
    return own.select_related("invitation__interview").order_by("consented_at", "pk")


def neighbours(session: Session, user: User) -> dict[str, Any]:
    """Return the candidates before and after this one among those that the user is to score."""
    rows = to_score(user)
    at, key = session.consented_at, session.pk
    later = rows.filter(Q(consented_at__gt=at) | Q(consented_at=at, pk__gt=key))
    earlier = rows.filter(Q(consented_at__lt=at) | Q(consented_at=at, pk__lt=key))
    return {
        "previous": earlier.reverse().first(),
        "next": later.first(),
        "to_score": rows.count(),
    }
