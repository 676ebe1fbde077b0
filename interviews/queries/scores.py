"""What reviewers submitted about many candidates, as far as one member of staff may see it.

The columns of a list, the levels by criterion and the candidates behind them follow `queries/blindness.py`:
a score that is hidden is not read from the database.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import (
    Count,
    F,
    Func,
    IntegerField,
    JSONField,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
)
from django.db.models.functions import Coalesce

from accounts.models import User
from interviews.models import Decision, InterviewVersion, Invitation, Session, Submission
from interviews.models.rubric import MOST_LEVELS, RubricCriterion
from interviews.queries import blindness
from interviews.queries.blindness import Viewer

OUTCOMES: Final = (*Decision.Outcome.values, blindness.UNDECIDED, blindness.HIDDEN)
LEVELS: Final = range(MOST_LEVELS + 1)
"""Level 0 is "the answers give no basis"."""


class Asked(NamedTuple):
    """A criterion by which some candidates can be scored, and the title of its interview."""

    criterion: RubricCriterion
    interview: str


def criteria_of(sessions: QuerySet[Session]) -> list[Asked]:
    """Return the criteria of the versions that candidates agreed to; of several, as the newest says it."""
    versions = InterviewVersion.objects.filter(pk__in=sessions.order_by().values("definition"))
    found: dict[int, Asked] = {}
    for version in versions.only("title", "rubric", "interview_id").order_by("interview_id", "pk"):
        found |= {criterion.id: Asked(criterion, version.title) for criterion in version.criteria}
    return list(found.values())


def with_counts(rows: QuerySet[Session], viewer: Viewer) -> QuerySet[Session]:
    """`rows` with `scorecard_count`, how many were submitted, and `are_scores_shown` to the viewer."""
    submitted = Submission.objects.filter(scorecard__session=OuterRef("pk")).order_by()
    count = submitted.values("scorecard__session").annotate(count=Count("scorecard", distinct=True))
    return rows.annotate(
        scorecard_count=Coalesce(Subquery(count.values("count"), output_field=IntegerField()), 0),
        are_scores_shown=blindness.scores_shown_to(viewer),
    )


def means(sessions: Iterable[Session], viewer: Viewer) -> Mapping[UUID, Mapping[int, float]]:
    """Return the mean level of each criterion for each session whose scores the viewer may see.

    Each reviewer counts with what was submitted last. A score without a basis has no level.
    """
    rows = _shown(viewer).filter(scorecard__session__in=[session.pk for session in sessions])
    last = rows.order_by("scorecard_id", "-submitted_at", "-pk").distinct("scorecard_id")
    levels: dict[UUID, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for session_id, scores in last.values_list("scorecard__session_id", "scores"):
        for criterion_id, (level, _note) in scores.items():
            if level:
                levels[session_id][int(criterion_id)].append(level)
    return {
        session_id: {criterion_id: mean(given) for criterion_id, given in found.items()}
        for session_id, found in levels.items()
    }


class Scored(NamedTuple):
    """How often each of `LEVELS` was given for a criterion."""

    asked: Asked
    counts: Sequence[int]


def levels(invitations: QuerySet[Invitation], viewer: User) -> list[Scored]:
    """Return the levels that reviewers gave first: a later submission may follow those of others."""
    rows = Submission.objects.filter(pk__in=_firsts(invitations, viewer)).order_by()
    # Both functions return a row for each criterion, in the same order: PostgreSQL keeps JSON's keys sorted.
    each = rows.annotate(
        criterion=Func(F("scores"), function="jsonb_object_keys", output_field=TextField()),
        given=Func(
            F("scores"),
            function="jsonb_path_query",
            template="%(function)s(%(expressions)s, '$.*[0]')",
            output_field=JSONField(),
        ),
    )
    counted = each.values("criterion", "given").annotate(count=Count("pk"))
    counts = {(int(row["criterion"]), row["given"]): row["count"] for row in counted}
    asked = criteria_of(Session.objects.filter(invitation__in=invitations))
    return [Scored(one, [counts.get((one.criterion.id, level), 0) for level in LEVELS]) for one in asked]


def decisions(invitations: QuerySet[Invitation], viewer: User) -> Mapping[str, int]:
    """Return how many candidates have each of `OUTCOMES`, as the viewer sees it."""
    rows: Any = blindness.with_decision(Session.objects.filter(invitation__in=invitations), viewer)
    counted = rows.order_by().values("shown_outcome").annotate(count=Count("pk"))
    found = dict(counted.values_list("shown_outcome", "count"))
    return {outcome: found.get(outcome, 0) for outcome in OUTCOMES}


def behind(
    invitations: QuerySet[Invitation], name: str, number: int, *, viewer: User
) -> QuerySet[Invitation] | None:
    """Return the candidates who are counted in a figure; None for a name that is none.

    name: one of `OUTCOMES`, or `score_name` of a criterion with the level as the number.
    """
    sessions: Any
    if name in OUTCOMES:
        sessions = blindness.with_decision(Session.objects.filter(invitation__in=invitations), viewer)
        sessions = sessions.filter(shown_outcome=name).values("pk")
    elif found := _SCORE.fullmatch(name):
        firsts = Submission.objects.filter(pk__in=_firsts(invitations, viewer))
        scored = firsts.filter(**{f"scores__{found[1]}__0": number})
        sessions = scored.order_by().values("scorecard__session")
    else:
        return None
    return invitations.filter(session__in=sessions)


def score_name(criterion: RubricCriterion) -> str:
    """Return the name by which `behind` knows a criterion."""
    return f"score-{criterion.id}"


_SCORE: Final = re.compile(r"score-([0-9]{1,9})")


def _firsts(invitations: QuerySet[Invitation], viewer: User) -> Any:
    rows = _shown(viewer).filter(scorecard__session__invitation__in=invitations)
    return rows.order_by("scorecard_id", "submitted_at", "pk").distinct("scorecard_id").values("pk")


def _shown(viewer: Viewer) -> QuerySet[Submission]:
    return Submission.objects.filter(blindness.scores_shown_to(viewer, session="scorecard__session"))
