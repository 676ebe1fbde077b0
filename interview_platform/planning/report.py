"""Tables of a plan for a terminal, and the same as JSON."""

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from interview_platform.planning.capacity import Capacity, PoolOfPods
from interview_platform.planning.checking import ALLOWED, Check
from interview_platform.planning.money import Bill
from interview_platform.planning.wishes import Wish


def as_json(needed: Capacity, found: Sequence[Bill]) -> dict[str, Any]:
    """Return everything that the tables say."""
    costs = [
        to_jsonable_python(bill) | {"total": bill.total, "of_an_interview": bill.of_an_interview}
        for bill in found
    ]
    return {"capacity": to_jsonable_python(needed) | {"gpus": needed.gpus}, "costs": costs}


def of_capacity(needed: Capacity) -> str:
    """Return who comes, the pools, and the stores."""
    span = "day" if needed.hours == 24 else "hour"
    who = f"{needed.candidates:,} candidates " + (
        f"on a day, {needed.at_once:,} at once" if needed.hours == 24 else "at once"
    )
    heads = ("pool", "pods", "slots", "cores", "GB", "GPUs", "busy", "wait p95", "target")
    rows = [_pool_row(pool) for pool in needed.pools]
    parts = [who, "", _table(heads, rows), "", _table(("store", "what it takes"), _store_rows(needed, span))]
    if assumed := [pool.engine for pool in needed.pools if not pool.is_measured]:
        parts += ["", f"assumed, not measured: {', '.join(dict.fromkeys(assumed))}"]
    return "\n".join(parts)


def _pool_row(pool: PoolOfPods) -> tuple[str, ...]:
    return (
        pool.name,
        f"{pool.pods:,}",
        f"{pool.pods * pool.slots:,}",
        f"{pool.pods * pool.size.cores:,.0f}",
        f"{pool.pods * pool.size.memory_mb / 1024:,.1f}",
        f"{pool.pods * pool.size.gpus:,}",
        f"{pool.utilisation:.0%}",
        "" if pool.wait_s is None else f"{pool.wait_s:.2f} s",
        "" if pool.target_s is None else f"{pool.target_s:g} s",
    )


def _store_rows(needed: Capacity, span: str) -> list[tuple[str, str]]:
    found = needed.stores
    return [
        (
            "Redis",
            f"{found.redis_memory_mb:,} MB in the master and in each replica, {found.redis_cores:.1f} cores",
        ),
        (
            "PostgreSQL",
            f"{found.postgres_cores:.1f} cores, {found.server_connections:,} connections behind PgBouncer",
        ),
        ("PgBouncer", f"{found.client_connections:,} connections of clients at most"),
        ("object storage", f"{found.storage_gb:,.1f} GB more each {span}"),
        ("egress", f"{found.egress_gb:,.1f} GB each {span}"),
    ]


def of_costs(needed: Capacity, found: Sequence[Bill], currency: str) -> str:
    """Return a row for each scenario."""
    span = "day" if needed.hours == 24 else "hour"
    heads = (
        f"{currency} each {span}", "pods", "stores", "traffic", "in all", "an interview",
        "transcript p95", "audio p95", "evictions", "cold starts",
    )  # fmt: skip
    rows = [
        (
            bill.scenario.name,
            f"{bill.pods:,.2f}",
            f"{bill.stores:,.2f}",
            f"{bill.traffic:,.2f}",
            f"{bill.total:,.2f}",
            f"{bill.of_an_interview:.4f}",
            f"{bill.wait_s('worker-stt'):.1f} s",
            f"{bill.wait_s('worker-tts'):.1f} s",
            f"{sum(pool.evictions for pool in bill.pools):,.0f}",
            f"{sum(pool.cold_starts for pool in bill.pools):,.0f}",
        )
        for bill in found
    ]
    return _table(heads, rows)


def of_checks(rows: Sequence[Check]) -> str:
    """Return what was measured beside what the planner says."""
    heads = ("candidates", "figure", "measured", "planner", "error", "without this run")
    lines = [
        (
            f"{row.candidates:,}",
            f"{row.what}{f', {row.unit}' if row.unit else ''}",
            f"{row.measured:,.3g}" if row.measured < 1000 else f"{row.measured:,.0f}",
            f"{row.predicted:,.3g}" if row.predicted < 1000 else f"{row.predicted:,.0f}",
            f"{row.error:+.0%}{'' if row.is_within else ' !'}",
            "" if row.error_apart is None else f"{row.error_apart:+.0%}",
        )
        for row in rows
    ]
    within = sum(row.is_within for row in rows)
    return f"{_table(heads, lines)}\n\n{within} of {len(rows)} within {ALLOWED:.0%}"


def of_wishes(rows: Sequence[Wish]) -> str:
    """Return each wish with what it takes."""
    lines = [(row.wished, row.takes, "measured" if row.is_measured else "assumed") for row in rows]
    return _table(("wished for", "what it takes", "figures"), lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table: the first column to the left; numbers to the right, texts with a space to the left."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    is_text = [
        any(" " in row[n] and not row[n].endswith((" s", " !")) for row in rows) for n in range(len(heads))
    ]
    lines = [
        "  ".join(
            cell.ljust(width) if not n or is_text[n] else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [heads, ["-" * width for width in widths], *rows]
    ]
    return "\n".join(lines)
