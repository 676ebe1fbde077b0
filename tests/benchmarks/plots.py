"""Draw the figures by number of speakers: ours and the peer's, as small SVG files for docs/performance.md.

python -m tests.benchmarks.plots          # var/bench.json -> docs/images/speakers-*.svg
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

ROOT: Final = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 560, 260, 52, 120, 34, 40
COLOURS: Final = {"ours": "#2b6cb0", "wyoming": "#c05621"}

Series = dict[str, dict[int, float]]


@dataclass(frozen=True, slots=True)
class Plot:
    """name: of the file. pattern: of the figures' names, with the groups `speakers` and `who`."""

    name: str
    title: str
    pattern: str
    series: Series = field(default_factory=lambda: defaultdict(dict))


PLOTS: Final = (
    Plot(
        "speakers-latency",
        "last byte of audio to the final words, median, s",
        r"last byte to final, (?P<speakers>\d+) speaking, (?P<who>\w+), median",
    ),
    Plot(
        "speakers-throughput",
        "recordings a second, by how many come at once",
        r"(?P<speakers>\d+) at once, (?P<who>\w+)",
    ),
)


def drawn(plot: Plot, figures: list[dict]) -> str:
    """Return the SVG of one plot."""
    for figure in figures:
        if found := re.fullmatch(plot.pattern, figure["name"]):
            plot.series[found["who"]][int(found["speakers"])] = figure["value"]
    counts = sorted({count for values in plot.series.values() for count in values})
    most = max(value for values in plot.series.values() for value in values.values())
    lines = "".join(_line(who, values, counts, most) for who, values in plot.series.items())
    style = "text{font:12px system-ui,sans-serif;fill:#666}.t{font-weight:600}path{stroke:#8886}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>{escape(plot.title)}</title><style>{style}</style>"
        f"{_frame(plot.title, counts, most)}{lines}</svg>\n"
    )


def _frame(title: str, counts: list[int], most: float) -> str:
    bottom = HEIGHT - BOTTOM
    parts = [f'<text class="t" x="{LEFT}" y="18">{escape(title)}</text>']
    for share in (0, 0.5, 1):
        y = _y(share * most, most)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{share * most:.2g}</text>')
    for count in counts:
        x = _x(count, counts)
        parts.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{count}</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">speakers at once</text>')
    return "".join(parts)


def _line(who: str, values: dict[int, float], counts: list[int], most: float) -> str:
    colour = COLOURS.get(who, "#666")
    points = [(_x(count, counts), _y(values[count], most)) for count in sorted(values)]
    path = " ".join(f"{x},{y}" for x, y in points)
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in points)
    x, y = points[-1]
    label = f'<text x="{x + 10}" y="{y + 4}" style="fill:{colour}">{escape(who)}</text>'
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}{label}'


def _x(count: int, counts: list[int]) -> float:
    share = counts.index(count) / max(1, len(counts) - 1)
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, most: float) -> float:
    return round(HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM), 1)


def main() -> None:
    """Draw every plot for which there are figures."""
    figures = json.loads((ROOT / "var" / "bench.json").read_text())
    for plot in PLOTS:
        if any(re.fullmatch(plot.pattern, figure["name"]) for figure in figures):
            (ROOT / "docs" / "images" / f"{plot.name}.svg").write_text(drawn(plot, figures))


if __name__ == "__main__":
    main()
