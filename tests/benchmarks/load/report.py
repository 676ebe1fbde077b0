"""The results of a run: var/load.json, a table on the terminal and a picture for docs/performance.md."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from tests.benchmarks.load.measures import Figures
from tests.benchmarks.load.watch import Look, Watch

WIDTH, PANEL_HEIGHT, LEFT, RIGHT, GAP = 760, 110, 70, 20, 34
LATENCIES = ("connect_ms", "ack_ms", "slow_ack_ms", "held_ms", "caption_ms", "transcript_ms", "stored_ms")
LINES = ("#2563eb", "#d97706", "#059669")
"""Line colours of the panels: readable on white and on black."""


def of_system(watch: Watch) -> dict[str, Any]:
    """Return the resources that processes and stores used during the measurement."""
    looks = watch.measured
    candidate_minutes = mean(look.connected for look in looks) * watch.measured_s / 60
    cpu_seconds = watch.cpu_seconds
    return {
        "speaking_share": round(
            mean(look.speaking for look in looks) / max(1.0, mean(look.connected for look in looks)), 3
        ),
        "candidates_connected": round(mean(look.connected for look in looks), 1),
        "candidate_minutes": round(candidate_minutes, 1),
        "cpu_seconds_per_candidate_minute": {
            name: round(seconds / max(1e-9, candidate_minutes), 4) for name, seconds in cpu_seconds.items()
        },
        "measured_ack_ms": watch.measured_ack_ms,
        "web_cpu_ms_per_frame": round(1000 * cpu_seconds.get("web", 0.0) / max(1, watch.measured_frames), 4),
        "driver_core_share": round(cpu_seconds.get("driver", 0.0) / watch.measured_s, 3),
        "redis_peak_bytes": max((look.redis_bytes for look in watch.looks), default=0),
        "database_connections_peak": max((look.database_connections for look in watch.looks), default=0),
        "web_kb_per_connection": _rounded(watch.web_kb_per_connection),
        "slopes_an_hour": watch.slopes_an_hour,
        "queue_peak": _peaks(look.queue_lengths for look in watch.looks),
        "oldest_wait_s": _peaks(look.oldest_waits_s for look in watch.looks),
        "waiting_peak": max((look.waiting for look in watch.looks), default=0),
        "retreat_level_peak": max((look.retreat_level for look in watch.looks), default=0),
    }


HELD_ACK_MS, HELD_STORED_MS = 250, 10_000


def held(figures: Figures, watch: Watch, bytes_lost: int, candidates: int) -> dict[str, Any]:
    """Return whether so many were held, and what of the processor they cost, without recognition and driver.

    Held: 99 of 100 were connected throughout, acks came within 250 ms and "stored" within 10 s (p95), and
    nothing was lost.
    """
    limits = [(watch.measured_ack_ms, HELD_ACK_MS), (figures.stored_ms.summary(), HELD_STORED_MS)]
    is_in_time = all(summary.get("p95", 0.0) <= limit_ms for summary, limit_ms in limits)
    connected = mean(look.connected for look in watch.measured)
    apart = sum(watch.cpu_seconds.get(name, 0.0) for name in ("speech", "driver", "neighbour"))
    minutes = connected * watch.measured_s / 60
    return {
        "is_held": is_in_time and not bytes_lost and connected >= 0.99 * candidates,
        "cpu_seconds_per_candidate_minute_without_speech_and_driver": round(
            (sum(watch.cpu_seconds.values()) - apart) / max(1e-9, minutes), 4
        ),
    }


def against_bare(results: Mapping[str, Any], bare: Path) -> dict[str, float]:
    """Return the web CPU time for each frame, compared with a minimal server if `--bare` was run."""
    if not bare.exists():
        return {}
    least_ms = json.loads(bare.read_text())["web_cpu_ms_per_frame"]
    return {"web_cpu_against_bare": round(results["web_cpu_ms_per_frame"] / least_ms, 2)}


def mean(values: Iterable[float]) -> float:
    """Return the mean, 0 for no values."""
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _peaks(looks: Iterable[Mapping[str, float]]) -> dict[str, float]:
    peaks: dict[str, float] = {}
    for look in looks:
        for name, value in look.items():
            peaks[name] = max(peaks.get(name, 0), value)
    return peaks


def table(results: Mapping[str, Any]) -> str:
    """Return a table with one figure on each line."""
    rows = []
    for name, value in results.items():
        if name == "timeline":
            continue
        if isinstance(value, Mapping):
            rows += [(f"{name}  {key}", part) for key, part in value.items()] or [(name, "none")]
        else:
            rows.append((name, value))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {_number(value):>16}" for name, value in rows)


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def write_json(results: Mapping[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def picture(results: Mapping[str, Any]) -> str:
    """Return an SVG: candidates, queues, Redis and PostgreSQL over time; latencies below."""
    looks = [Look(**look) for look in results["timeline"]]
    queues = ("stt", "stt-later", "stt-partial")
    over_time = [
        ("candidates", {
            "connected": [look.connected for look in looks],
            "speaking": [look.speaking for look in looks],
            "waiting": [look.waiting for look in looks],
        }),
        ("queued jobs", {name: [look.queue_lengths.get(name, 0) for look in looks] for name in queues}),
        ("oldest job waits, s", {
            name: [look.oldest_waits_s.get(name, 0) for look in looks] for name in queues
        }),
        ("Redis, MB", {"": [look.redis_bytes / 1e6 for look in looks]}),
        ("database connections", {"": [look.database_connections for look in looks]}),
        ("retreat, steps off", {"": [look.retreat_level for look in looks]}),
    ]  # fmt: skip
    times = [look.at_s for look in looks]
    panels = [_panel(n, title, times, series) for n, (title, series) in enumerate(over_time)]
    bars = _latency_bars(len(panels), results)
    height = (len(panels) + 1) * (PANEL_HEIGHT + GAP) + 70
    style = "text{font:12px system-ui,sans-serif;fill:#666}.t{font-weight:600}.a{stroke:#8886}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{results['candidates']} candidates</title><style>{style}</style>"
        f"{''.join(panels)}{bars}</svg>\n"
    )


def _panel(row: int, title: str, times: list[float], series: Mapping[str, list[float]]) -> str:
    top = row * (PANEL_HEIGHT + GAP) + 24
    most = max((value for values in series.values() for value in values), default=0) or 1
    last = max(times, default=1.0)
    parts = [
        _text(LEFT, top - 8, title, "t"),
        _text(LEFT - 8, top + 10, f"{most:.4g}", anchor="end"),
        _text(LEFT - 8, top + PANEL_HEIGHT, "0", anchor="end"),
        _text(WIDTH - RIGHT, top + PANEL_HEIGHT + 14, f"{last / 60:.1f} min", anchor="end"),
        f'<path class="a" d="M{LEFT} {top + PANEL_HEIGHT}H{WIDTH - RIGHT}"/>',
    ]
    for colour, values in zip(LINES, series.values(), strict=False):
        points = " ".join(
            f"{LEFT + at / last * (WIDTH - LEFT - RIGHT):.1f},{top + PANEL_HEIGHT * (1 - value / most):.1f}"
            for at, value in _thinned(list(zip(times, values, strict=True)))
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    if len(series) > 1:
        for n, (colour, name) in enumerate(zip(LINES, series, strict=False)):
            x = WIDTH - RIGHT - 90 * (len(series) - n)
            parts.append(f'<text x="{x}" y="{top - 8}" style="fill:{colour}">{name}</text>')
    return "".join(parts)


def _thinned(points: list[tuple[float, float]], most: int = 350) -> list[tuple[float, float]]:
    return points[:: max(1, len(points) // most)]


def _latency_bars(n: int, results: Mapping[str, Any]) -> str:
    top = n * (PANEL_HEIGHT + GAP) + 24
    known = [name for name in LATENCIES if "p95" in results.get(name, {})]
    most = max((results[name]["p99"] for name in known), default=1.0) or 1.0
    parts = [_text(LEFT, top - 8, "latencies, ms: p50, p95, p99", "t")]
    for row, name in enumerate(known):
        y = top + 20 * row
        parts.append(_text(LEFT + 20, y + 12, name.removesuffix("_ms"), anchor="end"))
        for opacity, share in ((0.3, "p99"), (0.6, "p95"), (1, "p50")):
            width = results[name][share] / most * (WIDTH - LEFT - RIGHT - 230)
            parts.append(
                f'<rect x="{LEFT + 30}" y="{y}" width="{width:.1f}" height="14" '
                f'fill="{LINES[0]}" fill-opacity="{opacity}"/>'
            )
        figures = " / ".join(f"{results[name][share]:,.0f}" for share in ("p50", "p95", "p99"))
        parts.append(_text(WIDTH - RIGHT, y + 12, figures, anchor="end"))
    return "".join(parts)


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'
