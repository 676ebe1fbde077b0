"""A report about self-declared groups as panels: a table for each question."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from interviews.analytics.panels import Figure, Panel, Row
from interviews.models import ImpactReport
from interviews.queries import impact
from interviews.queries.impact import Choices, Table, Tally
from interviews.texts.groups import EEO1, RACE, SEX, name_of

TITLES: Final = {SEX: gettext_lazy("Sex"), RACE: gettext_lazy("Race or ethnicity")}
_ORDER: Final = {choice.key: n for question in EEO1 for n, choice in enumerate(question.choices)}


def of(report: ImpactReport) -> list[Panel]:
    """Return the panels of a report."""
    return [_panel(Table.read(kept)) for kept in report.tables]


def _panel(table: Table) -> Panel:
    has_scores = any(group.scored for group in table.rows.values())
    header = [_("Group"), _("Candidates"), _("Advanced"), _("Selection rate, %"), _("Impact ratio")]
    of_scores = [_("Scored"), _("Above the median"), _("Scoring rate, %"), _("Impact ratio of scores")]
    selection, scoring = impact.selection_ratios(table.rows), impact.scoring_ratios(table.rows)
    rows = [
        Row(
            ", ".join(str(name_of(choice)) for choice in choices),
            [
                *_selected(group, selection.get(choices)),
                *(_scored(group, scoring.get(choices)) if has_scores else []),
            ],
        )
        for choices, group in sorted(table.rows.items(), key=_place)
    ]
    note = ngettext(
        "%(n)d candidate is in no row: said nothing, or the group is too small to be shown.",
        "%(n)d candidates are in no row: they said nothing, or their group is too small to be shown.",
        table.others,
    )
    return Panel(
        _title(table), [*header, *(of_scores if has_scores else [])], rows, note=note % {"n": table.others}
    )


def _title(table: Table) -> str:
    return " × ".join(str(TITLES.get(question, name_of(question))) for question in table.questions)


def _place(row: tuple[Choices, Tally]) -> list[tuple[int, str]]:
    """Sort the categories of EEO-1 as they are asked, and others by their words."""
    return [(_ORDER.get(choice, 0), choice) for choice in row[0]]


def _selected(group: Tally, ratio: float | None) -> list[Figure]:
    rate = round(100 * group.selection_rate, 1)
    return [Figure(group.people), Figure(group.selected), Figure(rate), Figure(_rounded(ratio))]


def _scored(group: Tally, ratio: float | None) -> list[Figure]:
    rate = group.scoring_rate
    shown = None if rate is None else round(100 * rate, 1)
    return [Figure(group.scored), Figure(group.above), Figure(shown), Figure(_rounded(ratio))]


def _rounded(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio, 3)
