"""A plan as a picture: SVG, written as the pictures of docs/performance.md are."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT, LEFT, RIGHT, GAP = 760, 110, 70, 180, 48
LINES = ("#2563eb", "#d97706", "#059669")
STYLE = "text{font:12px system-ui,sans-serif;fill:#666}.t{font-weight:600}.a{stroke:#8886}"


@dataclass(frozen=True, slots=True)
class Panel:
    """series: lines by their names; x and y from 0."""

    title: str
    along: str
    series: dict[str, Points]


def drawn(title: str, panels: Sequence[Panel]) -> str:
    """Return the SVG, its panels below one another."""
    height = len(panels) * (HEIGHT + GAP) + 20
    inside = "".join(_panel(panel, row * (HEIGHT + GAP) + 28) for row, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>{inside}</svg>\n"
    )


def _panel(panel: Panel, top: int) -> str:
    points = [point for line in panel.series.values() for point in line]
    widest = max((x for x, _ in points), default=0) or 1
    highest = max((y for _, y in points), default=0) or 1
    bottom, right = top + HEIGHT, WIDTH - RIGHT
    parts = [f'<text class="t" x="{LEFT}" y="{top - 8}">{escape(panel.title)}</text>']
    for share in (0, 0.5, 1):
        y = bottom - share * HEIGHT
        parts.append(f'<path class="a" d="M{LEFT} {y}H{right}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{share * highest:,.4g}</text>')
        x = LEFT + share * (right - LEFT)
        parts.append(f'<text x="{x}" y="{bottom + 15}" text-anchor="middle">{share * widest:,.4g}</text>')
    parts.append(f'<text x="{right + 10}" y="{bottom + 15}">{escape(panel.along)}</text>')
    for n, (name, line) in enumerate(panel.series.items()):
        path = " ".join(
            f"{LEFT + x / widest * (right - LEFT):.1f},{bottom - y / highest * HEIGHT:.1f}" for x, y in line
        )
        colour = LINES[n % len(LINES)]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(
            f'<text x="{right + 10}" y="{top + 12 + 16 * n}" style="fill:{colour}">{escape(name)}</text>'
        )
    return "".join(parts)
