"""How well reviewers agree, criterion by criterion. The figures are pure; `of` reads the scores.

Only first scores count that were submitted blind: a score that was given or changed after seeing the others'
is no judgement of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from interviews.models import Assignment, Interview, Scorecard, Session, Submission
from interviews.models.rubric import RubricCriterion

LEAST_PAIRS = 10
"""Below so many pairs of scores a figure would be chance, and tell how single people scored."""

Levels = Sequence[int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """About one criterion. pairs: two reviewers' scores of one candidate each.

    exact, within_one: the shares of pairs with the same level, and with at most one level between, 0 to 1.
    alpha: Krippendorff's, 1 for complete agreement, 0 for chance; None if all scores are the same.
    """

    criterion: RubricCriterion
    candidates: int
    pairs: int
    exact: float
    within_one: float
    alpha: float | None

    @property
    def is_shown(self) -> bool:
        return self.pairs >= LEAST_PAIRS


def of(interview: Interview, viewer: User) -> list[Agreement]:
    """Return the agreement on each published criterion, without candidates the viewer is still to score."""
    criteria = interview.published.criteria if interview.published else []
    rubrics = {version.pk: version.criteria for version in interview.versions.only("rubric")}
    scores = list(_first_scores(interview, viewer))
    return [measured(criterion, _units(criterion, scores, rubrics)) for criterion in criteria]


def _units(
    criterion: RubricCriterion, scores: Iterable[Submission], rubrics: Mapping[int, list[RubricCriterion]]
) -> list[list[int]]:
    """Return the levels of each candidate whose version had the same levels as the published one.

    rubrics: by the version's id.
    """
    same = {
        version
        for version, rubric in rubrics.items()
        if any(each.id == criterion.id and each.levels == criterion.levels for each in rubric)
    }
    units: dict[Any, list[int]] = {}
    for submission in scores:
        session = submission.scorecard.session
        if session.definition_id in same and (level := submission.level(criterion.id)):
            units.setdefault(session.pk, []).append(level)
    return list(units.values())


def _first_scores(interview: Interview, viewer: User) -> Iterator[Submission]:
    of_viewer = {"session": OuterRef("scorecard__session"), "reviewer": viewer}
    seen = Scorecard.objects.filter(**of_viewer, others_seen_at__isnull=False)
    to_score = Q(Exists(Assignment.objects.filter(**of_viewer))) & ~Q(Exists(seen))
    sessions = Session.objects.counted().filter(invitation__interview=interview)
    rows = Submission.objects.filter(scorecard__session__in=sessions)
    first = rows.exclude(to_score).order_by("scorecard_id", "submitted_at", "pk").distinct("scorecard_id")
    for submission in first.select_related("scorecard__session"):
        if submission.is_blind:
            yield submission


def measured(criterion: RubricCriterion, units: Iterable[Levels]) -> Agreement:
    """Return the agreement of the scores on one criterion. units: the levels of each candidate."""
    rated = [unit for unit in units if len(unit) > 1]
    pairs = [pair for unit in rated for pair in combinations(unit, 2)]
    apart = Counter(min(abs(one - other), 2) for one, other in pairs)
    share = 1 / len(pairs) if pairs else 0.0
    return Agreement(
        criterion=criterion,
        candidates=len(rated),
        pairs=len(pairs),
        exact=apart[0] * share,
        within_one=(apart[0] + apart[1]) * share,
        alpha=alpha(rated),
    )


def alpha(units: Iterable[Levels]) -> float | None:
    """Return Krippendorff's alpha for ordered levels; None if nothing differs or there is no pair.

    It takes any number of reviewers, each of whom may have scored only some of the candidates.
    Source: K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011, section C, ordinal metric.
    """
    coincidences: dict[tuple[int, int], float] = defaultdict(float)
    for unit in units:
        for pair in permutations(unit, 2):
            coincidences[pair] += 1 / (len(unit) - 1)
    totals: dict[int, float] = defaultdict(float)
    for (level, _other), count in coincidences.items():
        totals[level] += count
    n = sum(totals.values())
    observed = sum(count * _distance(*pair, totals) for pair, count in coincidences.items())
    expected = sum(
        totals[one] * totals[other] * _distance(one, other, totals) for one, other in permutations(totals, 2)
    )
    return 1 - (n - 1) * observed / expected if expected else None


def _distance(one: int, other: int, totals: Mapping[int, float]) -> float:
    """The ordinal metric: how many scores lie between two levels, squared."""
    low, high = min(one, other), max(one, other)
    between = sum(count for level, count in totals.items() if low <= level <= high)
    return (between - (totals[low] + totals[high]) / 2) ** 2
