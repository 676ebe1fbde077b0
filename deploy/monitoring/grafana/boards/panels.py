"""The parts of a dashboard, without Grafana.

    Graph("Jobs that wait", "short", {"{{queue}}": "queue:voice_queue_length:max"})

A query of something that may never have happened goes through `or_zero`, so that a line at zero and no line
mean different things: no failure, and no metrics.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Panel:
    """unit: Grafana's name of it. queries: by legend; `{{label}}` in a legend is the label's value.

    steps: colours from a value on, beside green from 0.
    """

    title: str = field(kw_only=False)
    unit: str = field(kw_only=False)
    queries: Mapping[str, str] = field(kw_only=False)
    description: str = ""
    steps: Mapping[float, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Graph(Panel):
    """Lines over time, a third of the width.

    has_traces: its buckets name traces, which are shown as points.
    """

    has_traces: bool = False
    is_stacked: bool = False


@dataclass(frozen=True, kw_only=True)
class Number(Panel):
    """The newest value, large, a sixth of the width."""


@dataclass(frozen=True)
class Row:
    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """uid: a part of its address, so it never changes."""

    uid: str
    title: str
    rows: Sequence[Row]


def quantiles(metric: str, *by: str, where: str = "") -> dict[str, str]:
    """Return the queries of the median, the 95th and the 99th percentile of a histogram, by some labels."""
    labels = ", ".join(("le", *by))
    legend = "".join(f"{{{{{label}}}}} " for label in by)
    chosen = f"{{{where}}}" if where else ""
    buckets = f"sum by ({labels}) (rate({metric}_bucket{chosen}[$__rate_interval]))"
    return {
        f"{legend}p{round(100 * share)}": f"histogram_quantile({share}, {buckets})"
        for share in (0.5, 0.95, 0.99)
    }


def rate(metric: str, *by: str, where: str = "", per: float = 1) -> str:
    """Return the query of a counter's rate, by some labels; per: seconds of its unit."""
    chosen = f"{{{where}}}" if where else ""
    added_up = f"sum by ({', '.join(by)})" if by else "sum"
    times = f" * {per:g}" if per != 1 else ""
    return f"{added_up} (rate({metric}{chosen}[$__rate_interval])){times}"


def or_zero(query: str, like: str = "") -> str:
    """Return the query, with 0 where it has nothing; like: for each line of this query."""
    return f"{query} or {f'{like} * 0' if like else 'vector(0)'}"
