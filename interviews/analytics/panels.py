"""The figures as panels: a table each, most with a chart of the same numbers."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import formats
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from interviews.analytics.forms import Selection
from interviews.exports.tables import Cell
from interviews.models import Invitation
from interviews.queries import blindness, figures, scores
from interviews.queries.figures import Asked, Speech, Step
from interviews.queries.scores import Scored

COLOURS = ("var(--color-primary-600)", "var(--color-base-400)")
"""As the keys in analytics.css."""
BAR_PX = 32


class Figure(NamedTuple):
    """A number. behind, number: name the candidates who are counted in it (`figures.behind`)."""

    value: Cell
    behind: str = ""
    number: int = 0


class Row(NamedTuple):
    label: str
    figures: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars for the theme's Chart.js. Of two series the first, the smaller, is drawn over the second."""

    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]

    @property
    def json(self) -> str:
        look = {"maxBarThickness": BAR_PX, "displayYAxis": True}
        datasets = [
            {"label": name, "data": values, "backgroundColor": colour, **look}
            for (name, values), colour in zip(self.series.items(), COLOURS, strict=False)
        ]
        return json.dumps({"labels": self.labels, "datasets": datasets})

    @property
    def keys(self) -> list[str]:
        """The names of the series, if there are two to tell apart."""
        return list(self.series) if len(self.series) > 1 else []


@dataclass(frozen=True, slots=True)
class Panel:
    """A table with its chart. note: the same in words."""

    title: str
    header: Sequence[str]
    rows: Sequence[Row]
    chart: Chart | None = None
    note: str = ""


def of(selection: Selection) -> list[Panel]:
    """Return the panels about these candidates. Each takes one statement; funnel and scores take two."""
    asked = figures.questions(selection.invitations)
    return [
        funnel(selection),
        trend(selection),
        _durations(selection),
        _drop_off(asked),
        _lengths(asked),
        _decisions(scores.decisions(selection.invitations, selection.viewer)),
        _scores(scores.levels(selection.invitations, selection.viewer)),
        *_speech(figures.speech(selection.invitations)),
    ]


def behind(selection: Selection, name: str, number: int) -> QuerySet[Invitation] | None:
    """Return the candidates who are counted in a figure; None for a name that is none."""
    found = figures.behind(selection.invitations, name, number)
    if found is None:
        return scores.behind(selection.invitations, name, number, viewer=selection.viewer)
    return found


def as_rows(panels: Iterable[Panel]) -> Iterator[list[Cell]]:
    """Yield a row for each figure: panel, row, column, number."""
    for panel in panels:
        for row in panel.rows:
            for title, figure in zip(panel.header[1:], row.figures, strict=True):
                yield [panel.title, row.label, title, figure.value]


def header() -> list[str]:
    """Return the titles of `as_rows`."""
    return [_("table"), _("row"), _("figure"), _("number")]


def funnel(selection: Selection) -> Panel:
    """Return how many candidates came to each step. It takes two statements."""
    steps = figures.funnel(selection.invitations, selection.erasures)
    names = {
        "invited": _("Invited"),
        "begun": _("Consented"),
        "asked": _("Heard the first question"),
        "finished": _("Finished"),
    }
    invited = steps[0].candidates
    rows = [Row(names[step.name], _of_step(step, invited)) for step in steps]
    header = [_("Step"), _("Candidates"), _("% of invited"), _("of them erased since")]
    chart = Chart([row.label for row in rows], {header[1]: [step.candidates for step in steps]})
    return Panel(_("Funnel"), header, rows, chart)


def _of_step(step: Step, invited: int) -> list[Figure]:
    share = round(100 * step.candidates / invited, 1) if invited else None
    return [Figure(step.candidates, step.name), Figure(share), Figure(step.erased)]


def trend(selection: Selection) -> Panel:
    """Return how many were invited in each day or week, and how many of them finished."""
    periods = figures.trend(selection.invitations, days=selection.days)
    is_daily = selection.days <= figures.DAYS_ONE_BY_ONE
    rows = [
        Row(
            formats.date_format(each.begins, "SHORT_DATE_FORMAT"),
            [Figure(each.invited), Figure(each.finished)],
        )
        for each in periods
    ]
    header = [_("Day") if is_daily else _("Week from"), _("Invited"), _("of them finished")]
    series = {header[2]: [each.finished for each in periods], header[1]: [each.invited for each in periods]}
    chart = Chart([row.label for row in rows], series) if rows else None
    return Panel(_("By the day of the invitation"), header, rows, chart)


def _durations(selection: Selection) -> Panel:
    taken = figures.durations(selection.invitations)
    groups = [f"{first}–{last}" for first, last in pairwise([0, *figures.MINUTES])]
    groups.append(_("over %d") % figures.MINUTES[-1])
    rows = [
        Row(label, [Figure(count, "took", n)])
        for n, (label, count) in enumerate(zip(groups, taken.groups, strict=True))
    ]
    note = ""
    if taken.median is not None and taken.slowest_tenth is not None:
        figures_said = {"median": _number(taken.median), "slow": _number(taken.slowest_tenth)}
        note = _("Half of them took up to %(median)s minutes, nine of ten up to %(slow)s.") % figures_said
    chart = Chart(groups, {_("Candidates"): taken.groups}) if any(taken.groups) else None
    return Panel(
        _("Time from consent to the last answer"), [_("Minutes"), _("Candidates")], rows, chart, note
    )


def _drop_off(asked: Sequence[Asked]) -> Panel:
    header = [
        *(_("Question"), _("Asked"), _("Played again"), _("Answered"), _("Interview ended here")),
        *(_("Typed"), _("Nothing heard")),
    ]
    rows = [
        Row(
            _label(each),
            [
                *(Figure(each.asked), Figure(each.heard_again, "heard_again", each.position)),
                *(Figure(each.answered), Figure(each.stopped, "stopped", each.position)),
                *(Figure(each.typed), Figure(each.silent)),
            ],
        )
        for each in asked
    ]
    series = {header[3]: [each.answered for each in asked], header[1]: [each.asked for each in asked]}
    return Panel(_("Questions"), header, rows, _by_position(asked, series))


def _lengths(asked: Sequence[Asked]) -> Panel:
    header = [_("Question"), _("Median, seconds"), _("nine of ten up to, seconds")]
    rows = [
        Row(_label(each), [Figure(_rounded(each.median_s)), Figure(_rounded(each.longest_tenth_s))])
        for each in asked
    ]
    series = {header[1]: [_rounded(each.median_s) for each in asked]}
    return Panel(_("Lengths of spoken answers"), header, rows, _by_position(asked, series))


def _by_position(asked: Sequence[Asked], series: Mapping[str, Sequence[float | None]]) -> Chart | None:
    return Chart([str(each.position) for each in asked], series) if asked else None


def _decisions(counts: Mapping[str, int]) -> Panel:
    header = [_("Decision"), _("Candidates")]
    rows = [
        Row(capfirst(str(blindness.WORDS[outcome])), [Figure(count, outcome)])
        for outcome, count in counts.items()
    ]
    chart = Chart([row.label for row in rows], {header[1]: list(counts.values())})
    return Panel(_("Decisions"), header, rows, chart if any(counts.values()) else None)


def _scores(scored: Sequence[Scored]) -> Panel:
    levels = [_("Level %d") % level for level in scores.LEVELS[1:]]
    rows = [
        Row(
            f"{each.asked.criterion.name} ({each.asked.interview})",
            [
                Figure(count if level <= len(each.asked.criterion.levels) or count else None, name, level)
                for level, count in enumerate(each.counts)
            ],
        )
        for each in scored
        for name in [scores.score_name(each.asked.criterion)]
    ]
    note = _(
        "What reviewers submitted first. Only candidates count whose scores you may see: you have scored "
        "them, or chose to see the others’ scores."
    )
    header = [_("Criterion"), _("No basis"), *levels]
    return Panel(_("Scores by criterion"), header, rows, note=note)


def _speech(found: Speech) -> Iterator[Panel]:
    counts = [
        Row(_("Recordings"), [Figure(found.recordings)]),
        Row(_("of them in object storage"), [Figure(found.stored)]),
        Row(_("Transcripts that are complete"), [Figure(found.done, "done")]),
        Row(_("that wait"), [Figure(found.waiting, "waiting")]),
        Row(_("that failed"), [Figure(found.failed, "failed")]),
        Row(_("without an engine for the language"), [Figure(found.no_engine, "no_engine")]),
    ]
    yield Panel(_("Recordings and transcripts"), [_("What"), _("Number")], counts)
    after, inside = _("Text after the answer"), _("of this inside the engine")
    times = [
        Row(after, _seconds(found.text_median_s, found.text_slowest_s)),
        Row(inside, _seconds(found.engine_median_s, found.engine_slowest_s)),
        Row(_("Stored after the answer"), _seconds(found.stored_median_s, found.stored_slowest_s)),
    ]
    yield Panel(_("How long speech takes"), [_("Seconds"), _("Median"), _("95 of 100 within")], times)


def _seconds(*values: float | None) -> list[Figure]:
    return [Figure(_rounded(value)) for value in values]


def _label(each: Asked) -> str:
    text = each.text or _("(different questions)")
    return f"{each.position}. {text}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _number(value: float) -> str:
    return formats.number_format(round(value, 1), decimal_pos=1)
