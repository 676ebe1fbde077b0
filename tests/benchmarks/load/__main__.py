"""`make load`: interviews by the thousand, and what came of them.

    python -m tests.benchmarks.load --candidates 1000 --minutes 5
    python -m tests.benchmarks.load --address https://interviews.example.org --api-key ipk_…
    python -m tests.benchmarks.load --candidates 300 --minutes 1 --bare

Without an address the whole system runs here for the time of the test.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from tests.benchmarks.load import ledger, report
from tests.benchmarks.load.bare import bare_daphne, speak_to_bare
from tests.benchmarks.load.measures import Figures, most_in
from tests.benchmarks.load.neighbour import neighbour
from tests.benchmarks.load.own_stack import go_first, own_stack, raise_open_files
from tests.benchmarks.load.pace import Pace
from tests.benchmarks.load.population import Plan, Population
from tests.benchmarks.load.site import Site
from tests.benchmarks.load.speech import Speech
from tests.benchmarks.load.visitors import Visitors, undeterred
from tests.benchmarks.load.watch import Watch
from tests.prepared import ROOT
from tests.stack import Stack


def main() -> int:
    """Run the load test. Return 1 if a byte was lost or changed, or a transcript is missing, else 0."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the child processes too
    raise_open_files()
    plan = Plan(
        candidates=options.candidates,
        minutes=options.minutes,
        speaking_share=options.speaking_share,
        arrivals_a_second=options.arrivals,
        share_of_each_manner=options.manners,
    )
    if options.bare:
        results = uvloop.run(_bare(plan))
    elif options.address:
        facts = {"api_key": options.api_key, "interviews": {}, "recruiter_username": options.username}
        facts["recruiter_password"] = os.environ.get("PASSWORD", "")
        results = uvloop.run(_run(plan, options, facts, None))
    else:
        with own_stack(model=options.model) as stack, neighbour(options.neighbour):
            go_first()
            results = uvloop.run(_run(plan, options, stack.load_demo(), stack))
            if options.log:
                options.log.write_bytes(stack.log.read_bytes())
    _report(results, options)
    return int(bool(results.get("bytes_lost") or results.get("bytes_altered")))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--candidates", type=int, default=1000, help="at once")
    parser.add_argument("--minutes", type=float, default=5, help="that are measured, once all have come")
    parser.add_argument("--speaking-share", type=float, default=0.4, help="of the time, of 1")
    parser.add_argument("--arrivals", type=float, default=8, help="of candidates, a second")
    parser.add_argument(
        "--manners",
        type=float,
        default=0.05,
        help="share of those who reconnect, of those on slow networks and of those who abandon",
    )
    parser.add_argument(
        "--model",
        choices=["tiny", "micro", "none", "real"],
        default="tiny",
        help="stand-in Whisper of that shape; none: PocketSphinx; real: tiny.en of REAL_MODELS_DIR",
    )
    parser.add_argument("--neighbour", type=float, default=0.0, help="share of a core that other work takes")
    parser.add_argument("--address", default="", help="of a system that is up")
    parser.add_argument("--api-key", default=os.environ.get("API_KEY", ""), help="of that system")
    parser.add_argument("--username", default="", help="a recruiter there; the password stands in PASSWORD")
    parser.add_argument(
        "--restart", action="store_true", help="replace all web processes in the middle of what is measured"
    )
    parser.add_argument("--bare", action="store_true", help="only frames, against a bare Daphne")
    parser.add_argument("--drain-minutes", type=float, default=20, help="the longest wait for transcripts")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "load.json")
    parser.add_argument("--picture", type=Path, default=ROOT / "var" / "load.svg")
    parser.add_argument("--log", type=Path, help="where to keep what the system printed")
    return parser.parse_args()


async def _run(plan: Plan, options: argparse.Namespace, facts: dict, stack: Stack | None) -> dict[str, Any]:
    async with Site(options.address or stack.url, api_key=facts["api_key"]) as site:  # type: ignore[union-attr]
        interview_id = facts["interviews"].get("en") or await _first_interview(site)
        with Watch(site.figures, stack) as watch:
            visitors = Visitors(site)
            population = Population(site, plan, interview_id=interview_id, speech=Speech())
            async with (
                _visiting(visitors, plan, facts, interview_id),
                _restarting(plan, options, stack) as restart,
            ):
                holding = await _measured(population.hold(), plan, watch)
                say("the time is over; everybody ends the answer they are at")
                await holding
            late_ms = site.pace.late_ms.summary()
            say("everybody has finished; those who went away come back")
            await population.come_back()
            say("waiting for transcripts")
            takes = population.takes
            began = asyncio.get_running_loop().time()
            transcripts = await ledger.wait_transcribed(site, takes, within_s=60 * options.drain_minutes)
            drained_s = asyncio.get_running_loop().time() - began
            say("comparing")
            comparison = await ledger.compare(site, takes)
        return _results(plan, site, watch) | {
            "driver_late_ms": late_ms,
            **_compared(comparison),
            "transcripts": dict(transcripts),
            "transcripts_drained_s": round(drained_s, 1),
            **_own_rows(stack),
            **report.held(site.figures, watch, comparison.bytes_lost, plan.candidates),
            **restart,
            "interviews": len(population.interviews),
            "manners": dict(Counter(each.manner.value for each in population.interviews)),
            "longest_without_ack_s": round(max((t.longest_without_ack_s for t in takes), default=0.0), 2),
            "page_ms": visitors.page_ms.summary(),
            "api_ms": visitors.api_ms.summary(),
            "timeline": watch.timeline(),
        }


async def _first_interview(site: Site) -> str:
    interviews = (await site.api("/interviews"))["items"]
    if not interviews:
        raise SystemExit("The organisation of this API key has no interview. Make one in the admin.")
    return interviews[0]["id"]


@contextlib.asynccontextmanager
async def _visiting(visitors: Visitors, plan: Plan, facts: dict, interview_id: str) -> AsyncIterator[None]:
    name, password = facts["recruiter_username"], facts["recruiter_password"]
    visits = [lambda: visitors.api_client(interview_id)] * plan.api_clients
    if name and password:
        visits += [lambda: visitors.recruiter(name, password)] * plan.recruiters
    tasks = [asyncio.create_task(undeterred(visitors.site, visit)) for visit in visits]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for error in results:
        if not isinstance(error, asyncio.CancelledError):
            raise error  # type: ignore[misc]


@contextlib.asynccontextmanager
async def _restarting(
    plan: Plan, options: argparse.Namespace, stack: Stack | None
) -> AsyncIterator[dict[str, float]]:
    """Make a rolling restart of the web processes, if requested. Yields a dict for its duration."""
    took: dict[str, float] = {}

    async def restart(of: Stack) -> None:
        await asyncio.sleep(plan.ramp_s + 30 * plan.minutes)
        say("replacing the web processes, one after the other")
        began = asyncio.get_running_loop().time()
        await asyncio.to_thread(of.restart, "web")
        took["restart_s"] = round(asyncio.get_running_loop().time() - began, 1)

    if not options.restart or stack is None:
        yield took
        return
    restarting = asyncio.create_task(restart(stack))
    try:
        yield took
    finally:
        await restarting


async def _measured(holding: Coroutine[Any, Any, None], plan: Plan, watch: Watch) -> asyncio.Task[None]:
    """Measure from the last arrival to the first departure. Return the task, which may still run."""
    task = asyncio.create_task(holding)
    say(f"{plan.candidates} candidates come within {plan.ramp_s:.0f} s")
    await asyncio.wait([task], timeout=plan.ramp_s)
    watch.mark()
    say(f"all have come; measuring for {plan.minutes:g} minutes")
    await asyncio.wait([task], timeout=60 * plan.minutes)
    watch.mark()
    return task


async def _bare(plan: Plan) -> dict[str, Any]:
    figures = Figures()
    async with Pace() as pace:
        with bare_daphne() as url:
            go_first()
            await asyncio.sleep(2)
            with Watch(figures) as watch:
                speaking = await _measured(speak_to_bare(url, plan, pace, figures), plan, watch)
                speaking.cancel()
                await asyncio.wait([speaking])
    return {"is_bare": True, "candidates": plan.candidates, **report.of_system(watch), **_latencies(figures)}


def _latencies(figures: Figures) -> dict[str, Any]:
    names = (*report.LATENCIES, "wait_ms", "back_ms")
    return {name: getattr(figures, name).summary() for name in names} | {
        "errors": dict(figures.errors.most_common()),
        "lost_in_a_second_peak": most_in(1.0, figures.lost_at),
        "captions": figures.captions,
        "frames": figures.frames,
        "frame_bytes": figures.frame_bytes,
    }


def _results(plan: Plan, site: Site, watch: Watch) -> dict[str, Any]:
    return {
        "candidates": plan.candidates,
        "minutes": plan.minutes,
        "speaking_share_asked": plan.speaking_share,
        **report.of_system(watch),
        **_latencies(site.figures),
    }


def _compared(comparison: ledger.Comparison) -> dict[str, Any]:
    return {
        "bytes_sent": comparison.bytes_sent,
        "bytes_stored": comparison.bytes_stored,
        "bytes_altered": comparison.bytes_altered,
        "bytes_lost": comparison.bytes_lost,
        "recordings": comparison.recordings,
        "recordings_equal": comparison.recordings_equal,
        "not_equal": comparison.notes,
    }


def _own_rows(stack: Stack | None) -> dict[str, Any]:
    """Read from the database: duplicate and deferred transcripts, and their delay."""
    if stack is None:
        return {}
    twice = (
        "SELECT count(*) FROM (SELECT 1 FROM voice_transcript GROUP BY recording_id HAVING count(*) > 1) t"
    )
    deferred = "SELECT count(*) FROM voice_transcript WHERE is_deferred"
    return {"transcripts_twice": stack.rows(twice)[0][0], "transcripts_deferred": stack.rows(deferred)[0][0]}


def _report(results: dict[str, Any], options: argparse.Namespace) -> None:
    bare = options.json.with_stem(f"{options.json.stem}-bare")
    if not options.bare:
        results |= report.against_bare(results, bare)
    print(report.table(results))
    report.write_json(results, bare if options.bare else options.json)
    if not options.bare:
        options.picture.write_text(report.picture(results))


def say(what: str) -> None:
    """Print one line of progress."""
    print(what, flush=True)


if __name__ == "__main__":
    sys.exit(main())
