"""What a member of staff may see of others' judgement: nothing that could sway a score still to be given.

The rule stands here twice, for one session (`visible`) and for a list in SQL (`hidden_from`). A test compares
them case by case.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.models import User
from interviews.models import Assignment, Decision, Message, Scorecard, Session
from interviews.texts.mails import OF_DECISIONS

HIDDEN, UNDECIDED = "hidden", "undecided"


class Program:
    """A program whose key may read scores and decisions. It scores nobody, so nothing is hidden from it."""


PROGRAM: Final = Program()
Viewer = User | Program
WORDS: Final = {
    **dict(Decision.Outcome.choices),
    UNDECIDED: _("not decided"),
    HIDDEN: _("after your score"),
}
"""What lists and tables say for each `shown_outcome`."""


class Visible(NamedTuple):
    """scores: of other reviewers. judgement: the decision and shared notes."""

    scores: bool
    judgement: bool


def visible(*, has_rubric: bool, has_seen: bool, is_writer: bool, is_assigned: bool) -> Visible:
    """Return what may be shown.

    has_seen: the person has submitted a score, or chose to see others' without one. A recruiter or owner who
    is not to score the session needs decision and notes for the work with the candidate.
    """
    scores = has_seen or not has_rubric
    return Visible(scores, scores or (is_writer and not is_assigned))


def of(session: Session, user: User, *, card: Scorecard | None) -> Visible:
    """Return what of others' judgement the user may see in this session. card: the user's own."""
    return visible(
        has_rubric=has_rubric(session),
        has_seen=card is not None and card.others_seen_at is not None,
        is_writer=access.has_role(user, session.interview.organisation_id, access.WRITERS),
        is_assigned=Assignment.objects.filter(session=session, reviewer=user).exists(),
    )


def has_rubric(session: Session) -> bool:
    """Whether the version that the candidate agreed to can be scored."""
    return bool(session.definition and session.definition.rubric)


def hidden_from(user: Viewer) -> Q:
    """Return the condition under which a session's decision is hidden from the user."""
    if isinstance(user, Program):
        return Q(pk__in=[])
    to_score = Q(Exists(Assignment.objects.filter(session=OuterRef("pk"), reviewer=user)))
    if not access.is_unlimited(user):
        own = access.organisation_ids(user, access.WRITERS)
        to_score |= ~Q(invitation__interview__organisation_id__in=own)
    return Q(definition__isnull=False) & ~Q(definition__rubric=[]) & ~scores_shown_to(user) & to_score


def scores_shown_to(user: Viewer, *, session: str = "pk") -> Exists | Value:
    """Return the condition under which a session's scores are shown to the user: `visible(...).scores`.

    session: the path to the session's id. A session without a rubric has no scores.
    """
    if isinstance(user, Program):
        return Value(True, output_field=BooleanField())
    seen = Scorecard.objects.filter(reviewer=user, others_seen_at__isnull=False)
    return Exists(seen.filter(session=OuterRef(session)))


def without_hidden_mails(rows: QuerySet[Message], user: User) -> QuerySet[Message]:
    """Leave out e-mails that tell a decision which the user may not see yet."""
    hidden = Session.objects.filter(hidden_from(user))
    return rows.exclude(kind__in=OF_DECISIONS, invitation__session__in=hidden)


def with_decision(rows: QuerySet[Session], user: Viewer) -> QuerySet[Session]:
    """`rows` with `shown_outcome`: a `Decision.Outcome`, `UNDECIDED`, or `HIDDEN` from this user."""
    current = Decision.objects.filter(session=OuterRef("pk"), is_current=True).values("outcome")[:1]
    return rows.annotate(
        shown_outcome=Case(
            When(hidden_from(user), then=Value(HIDDEN)),
            default=Coalesce(Subquery(current), Value(UNDECIDED)),
            output_field=CharField(),
        )
    )


def swaying(rows: Iterable[Any], user: User) -> list[Session]:
    """Return those of the rows with another's decision that the user could still score blind.

    rows: shown sessions, as `with_decision` returns them.
    """
    shown = [row.pk for row in rows if row.shown_outcome in Decision.Outcome.values]
    if not shown:
        return []
    of_others = Decision.objects.filter(session=OuterRef("pk"), is_current=True).exclude(decided_by=user)
    card = Scorecard.objects.filter(session=OuterRef("pk"), reviewer=user)
    known = card.filter(Q(others_seen_at__isnull=False) | Q(judgement_seen_at__isnull=False))
    scored = Session.objects.filter(pk__in=shown, definition__isnull=False).exclude(definition__rubric=[])
    return list(scored.filter(Exists(of_others), ~Exists(known)))
