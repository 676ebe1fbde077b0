"""Which reviewer scores which candidate."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.models import User
from interviews.actions.errors import BadValue
from interviews.models import Assignment, Session
from interviews.queries import colleagues

S = TypeVar("S")
R = TypeVar("R")


def shared_out(
    sessions: Iterable[S],
    reviewers: Sequence[R],
    *,
    each: int,
    loads: Mapping[R, int],
    assigned: Collection[tuple[S, R]] = (),
) -> list[tuple[S, R]]:
    """Return pairs so that each session has `each` of the reviewers, and their loads stay as equal as can be.

    loads: how many sessions a reviewer has already. assigned: pairs that there are; they count. Pure.
    """
    has = {reviewer: loads.get(reviewer, 0) for reviewer in reviewers}
    pairs = []
    for session in sessions:
        free = [reviewer for reviewer in reviewers if (session, reviewer) not in assigned]
        wanted = each - (len(reviewers) - len(free))
        for reviewer in sorted(free, key=lambda one: has[one])[: max(0, wanted)]:
            has[reviewer] += 1
            pairs.append((session, reviewer))
    return pairs


@transaction.atomic
def assign(
    *, sessions: Sequence[Session], reviewers: Sequence[User], each: int, by: User, now: datetime
) -> int:
    """Give each session so many of the reviewers, evenly. Return how many assignments are new.

    Raises BadValue: there is no reviewer, fewer than `each`, or one who is no member of the organisation.
    """
    if not reviewers:
        raise BadValue(_("reviewers: choose at least one."))
    if not 1 <= each <= len(reviewers):
        raise BadValue(_("each: choose 1 to %d reviewers for a candidate.") % len(reviewers))
    for organisation in {session.interview.organisation for session in sessions}:
        if {person.pk for person in reviewers} - set(
            colleagues.of_organisation(organisation).values_list("pk", flat=True)
        ):
            raise BadValue(_("reviewers: not all of them are members of %s.") % organisation)
    pairs = shared_out(
        [session.pk for session in sessions],
        [person.pk for person in reviewers],
        each=each,
        loads=_loads(reviewers),
        assigned=set(
            Assignment.objects.filter(session__in=sessions).values_list("session_id", "reviewer_id")
        ),
    )
    rows = [
        Assignment(session_id=session, reviewer_id=reviewer, assigned_by=by, assigned_at=now)
        for session, reviewer in pairs
    ]
    return len(Assignment.objects.bulk_create(rows, ignore_conflicts=True))


def _loads(reviewers: Sequence[User]) -> dict[int, int]:
    """Return how many sessions each reviewer has."""
    rows = Assignment.objects.filter(reviewer__in=reviewers, session__in=Session.objects.counted())
    return dict(rows.values_list("reviewer").annotate(Count("pk")).order_by())


def unassign(*, assignment: Assignment, by: User) -> None:
    """Take a session away from a reviewer. A scorecard that was begun stays."""
    Assignment.objects.filter(pk=assignment.pk).delete()
