"""Say how many pods, GPUs and stores N candidates take, and what they cost."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from interview_platform.planning import checking, report, scraping, wishes
from interview_platform.planning.capacity import capacity
from interview_platform.planning.demand import Plan
from interview_platform.planning.figures import Figures
from interview_platform.planning.inputs import DEFAULTS, BadInput, read
from interview_platform.planning.money import bills
from interview_platform.planning.panels import panels
from interview_platform.planning.picture import drawn
from interview_platform.planning.prices import Prices


class Command(BaseCommand):
    help = (
        "Simulate candidates, and say what they take: pods of each pool, GPUs, Redis, PostgreSQL, traffic "
        "and money (docs/capacity.md). Nothing is asked of a store, and nothing is changed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--candidates", type=int, help="replaces demand.candidates of the plan")
        parser.add_argument(
            "--plan", type=Path, default=DEFAULTS / "plan.toml", help="who comes, and the targets"
        )
        parser.add_argument(
            "--figures", type=Path, default=DEFAULTS / "figures.toml", help="what was measured"
        )
        parser.add_argument("--prices", type=Path, default=DEFAULTS / "prices.toml")
        parser.add_argument(
            "--metrics", metavar="ADDRESS", help="real-time factors from a platform's /metrics"
        )
        parser.add_argument("--token", default="", help="METRICS_TOKEN of that platform")
        parser.add_argument(
            "--engine", action="append", default=[], metavar="THEIRS=OURS",
            help="with --metrics: which engine of the figures is meant, as faster_whisper=whisper-base-cpu",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
        parser.add_argument("--picture", type=Path, metavar="FILE", help="write an SVG")
        parser.add_argument(
            "--check", action="store_true", help="compare the planner with the measured load tests"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._answer(options)
        except BadInput as error:
            raise CommandError(str(error)) from None

    def _answer(self, options: dict[str, Any]) -> None:
        figures = _figures(options)
        if options["check"]:
            self.stdout.write(report.of_checks(checking.checks(figures)))
            return
        changes = {} if options["candidates"] is None else {"demand.candidates": options["candidates"]}
        plan, prices = read(options["plan"], Plan, changes), read(options["prices"], Prices)
        needed = capacity(plan, figures)
        found = bills(plan, figures, prices, needed)
        if options["picture"]:
            title = f"{needed.candidates:,} candidates"
            options["picture"].write_text(drawn(title, panels(plan, figures, needed, found)))
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(needed, found), indent=1))
            return
        tables = [report.of_capacity(needed), report.of_costs(needed, found, prices.currency)]
        self.stdout.write("\n\n".join([*tables, report.of_wishes(wishes.wishes(plan, figures, needed))]))


def _figures(options: dict[str, Any]) -> Figures:
    figures = read(options["figures"], Figures)
    if not options["metrics"]:
        return figures
    names = dict(pair.partition("=")[::2] for pair in options["engine"])
    if not names:
        raise BadInput("engine: --metrics needs --engine THEIRS=OURS")
    return scraping.with_measured(figures, names, scraping.fetched(options["metrics"], options["token"]))
