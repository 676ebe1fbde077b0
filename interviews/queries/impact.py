"""Adverse impact: how often the candidates of each group advance, beside the group that does most often.

Pure arithmetic. `table` and `crossed` also decide which rows are shown, so that no small group can be found:
not in a row, and not by subtracting what is shown from what is known otherwise (ADR 43).

Source: 6 RCNY § 5-300 to 5-304 (New York City's rules for Local Law 144, adopted 2023): selection rate,
scoring rate, impact ratio, and which categories may be left out. 29 CFR § 1607.4.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Final, NamedTuple, Self

from interviews.texts.groups import CROSSED

LEAST_PEOPLE: Final = 10
"""A smaller group is not shown."""
LEAST_ALIKE: Final = 3
"""So many of a shown group fared alike, at least: advanced, did not, and the same for scores."""
LEAST_SHARE: Final = 0.02
"""A smaller share of the people in a table gets no impact ratio (§ 5-301 (d)): chance would set the
highest rate, with which all are compared."""


class Person(NamedTuple):
    """A candidate without a name. groups: {question's key: choice's key}, empty if nothing was said.

    score: 0 to 1; None if no one has scored the candidate.
    """

    groups: Mapping[str, str]
    is_selected: bool
    score: float | None


class Tally(NamedTuple):
    """people, and how many of them: selected; scored, and above the median of all who were scored."""

    people: int = 0
    selected: int = 0
    scored: int = 0
    above: int = 0

    def plus(self, other: Self) -> "Tally":
        return Tally(*(one + another for one, another in zip(self, other, strict=True)))

    def minus(self, other: Self) -> "Tally":
        return Tally(*(one - another for one, another in zip(self, other, strict=True)))

    @property
    def selection_rate(self) -> float:
        return self.selected / self.people

    @property
    def scoring_rate(self) -> float | None:
        return self.above / self.scored if self.scored else None

    @property
    def is_safe(self) -> bool:
        """Whether so many people may be told of: enough of them, and enough who fared alike."""
        fared = (self.selected, self.people - self.selected)
        scores = (self.above, self.scored - self.above, self.people - self.scored)
        return self.people >= LEAST_PEOPLE and all(n == 0 or n >= LEAST_ALIKE for n in (*fared, *scores))

    @property
    def is_nobody_or_safe(self) -> bool:
        return self.people == 0 or self.is_safe


Choices = tuple[str, ...]
"""The key of a choice for each question of a table."""


class Table(NamedTuple):
    """One question, or two together. others: people in no row, who said nothing or are too few to show."""

    questions: Choices
    rows: Mapping[Choices, Tally]
    others: int

    @property
    def kept(self) -> dict[str, Any]:
        """The table as JSON keeps it."""
        return {**self._asdict(), "rows": sorted(self.rows.items())}

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Table":
        rows = {tuple(choices): Tally(*counts) for choices, counts in kept["rows"]}
        return cls(tuple(kept["questions"]), rows, kept["others"])


def is_enough(people: Sequence[Person], *, least_declared: int) -> bool:
    """Whether so many people can be reported: enough named a group, and enough were selected and were not.

    Colleagues know who was selected. So few of them could be found in a table.
    """
    selected = sum(person.is_selected for person in people)
    declared = sum(bool(person.groups) for person in people)
    return declared >= least_declared and min(selected, len(people) - selected) >= LEAST_PEOPLE


def tables(people: Sequence[Person]) -> list[Table]:
    """Return a table for each question, and one for the combinations of sex and race.

    Scores are left out if too few were not scored, who could be found, or if they would cost a row.
    """
    plain = _tables([person._replace(score=None) for person in people])
    unscored = sum(person.score is None for person in people)
    if 0 < unscored < LEAST_PEOPLE:
        return plain
    scored = _tables(people)
    is_same = [each.rows.keys() for each in scored] == [each.rows.keys() for each in plain]
    return scored if is_same else plain


def _tables(people: Sequence[Person]) -> list[Table]:
    asked = dict.fromkeys(question for person in people for question in person.groups)
    found = {question: table(people, question) for question in sorted(asked)}
    if all(question in found for question in CROSSED):
        first, second = (found[question] for question in CROSSED)
        return [*found.values(), crossed(people, first, second)]
    return list(found.values())


def tally(people: Sequence[Person], questions: Choices) -> dict[Choices, Tally]:
    """Count those who answered all the questions, by their choices."""
    scores = [person.score for person in people if person.score is not None]
    middle = median(scores) if scores else 0.0
    found: dict[Choices, Tally] = defaultdict(Tally)
    for person in people:
        if all(question in person.groups for question in questions):
            key = tuple(person.groups[question] for question in questions)
            found[key] = found[key].plus(_one(person, middle))
    return dict(found)


def _one(person: Person, middle: float) -> Tally:
    is_scored = person.score is not None
    is_above = person.score is not None and person.score > middle
    return Tally(1, int(person.is_selected), int(is_scored), int(is_above))


def table(people: Sequence[Person], question: str) -> Table:
    """Return the groups of one question that may be shown.

    What all numbers together leave over is known, too. So if a group is hidden, those who are in no row have
    to be a safe number as well: otherwise the smallest row goes to them.
    """
    groups = tally(people, (question,))
    everybody = _sum(tally(people, ()).values())
    shown = {choices: group for choices, group in groups.items() if group.is_safe}
    if len(shown) < len(groups):
        while shown and not everybody.minus(_sum(shown.values())).is_safe:
            del shown[_smallest(shown)]
    return Table((question,), shown, everybody.minus(_sum(shown.values())).people)


def crossed(people: Sequence[Person], first: Table, second: Table) -> Table:
    """Return the combinations of the groups of two tables that may be shown beside them.

    A group of the second table is shown in all combinations or in none. What then is left over of each group
    of the first table is nobody or a safe number. So a hidden number can be anything within a range of
    `LEAST_PEOPLE`, whatever is subtracted.
    """
    questions = (*first.questions, *second.questions)
    cells = tally(people, questions)
    if len(first.rows) < len(tally(people, first.questions)):
        return Table(questions, {}, len(people))
    whole = {key: group for key, group in second.rows.items() if _is_whole(key, group, first, cells)}
    while whole and not all(
        _left(key, group, whole, cells).is_nobody_or_safe for key, group in first.rows.items()
    ):
        del whole[_smallest(whole)]
    rows = {key: cell for key, cell in cells.items() if key[1:] in whole}
    return Table(questions, rows, len(people) - _sum(rows.values()).people)


def _is_whole(key: Choices, group: Tally, first: Table, cells: Mapping[Choices, Tally]) -> bool:
    """Whether all combinations with a group of the second table may be shown, and what they leave over."""
    combined = [cells.get((*one, *key), Tally()) for one in first.rows]
    return all(each.is_nobody_or_safe for each in [*combined, group.minus(_sum(combined))])


def _left(key: Choices, group: Tally, whole: Iterable[Choices], cells: Mapping[Choices, Tally]) -> Tally:
    return group.minus(_sum(cells.get((*key, *other), Tally()) for other in whole))


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for each in tallies:
        total = total.plus(each)
    return total


def _smallest(rows: Mapping[Choices, Tally]) -> Choices:
    return min(rows, key=lambda key: (rows[key].people, key))


def selection_ratios(
    rows: Mapping[Choices, Tally], *, least_share: float = LEAST_SHARE
) -> dict[Choices, float]:
    """Return the impact ratio of each group: its selection rate divided by the highest.

    A group below the share is left out. Without a rate above 0 there is nothing to divide by, and no ratio.
    """
    rates = {key: group.selection_rate for key, group in rows.items()}
    return _ratios(rates, {key: group.people for key, group in rows.items()}, least_share)


def scoring_ratios(
    rows: Mapping[Choices, Tally], *, least_share: float = LEAST_SHARE
) -> dict[Choices, float]:
    """Return the same of the scoring rates, for groups of whom any was scored."""
    rates = {key: rate for key, group in rows.items() if (rate := group.scoring_rate) is not None}
    return _ratios(rates, {key: group.scored for key, group in rows.items()}, least_share)


def _ratios(
    rates: Mapping[Choices, float], people: Mapping[Choices, int], least_share: float
) -> dict[Choices, float]:
    total = sum(people.values())
    compared = {key: rate for key, rate in rates.items() if people[key] >= least_share * total}
    highest = max(compared.values(), default=0.0)
    return {key: rate / highest for key, rate in compared.items()} if highest else {}
