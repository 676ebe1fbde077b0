"""An upgrade in place, from the commit that PREVIOUS names (default: the one before this) to this one."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.benchmarks.load.candidate import LoadCandidate
from tests.benchmarks.load.site import Site
from tests.benchmarks.load.take import Take
from tests.environment import without_ours
from tests.speech import spoken
from tests.standins import build_whisper
from voice.audio.pcm import s16le_from_samples

ROOT = Path(__file__).resolve().parents[2]
PREVIOUS = os.environ.get("PREVIOUS", "HEAD~1")
CANDIDATES = 20
READY_WITHIN_S = 300
SAID = "I built a small service that reads invoices. It found mistakes that people had missed for years."
WORKER = "voiceworker"

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    """Settings with a model so small that transcripts come also beside other work: they need not be right."""
    model = build_whisper(
        tmp_path_factory.mktemp("whisper") / "model", say="A small service that reads invoices."
    )
    return {"WHISPER_MODEL": str(model), "STT_ENGINES": "faster_whisper"}


@pytest.fixture(scope="module")
def previous(tmp_path_factory):
    """The tree of the previous commit."""
    tree = tmp_path_factory.mktemp("previous")
    archive = subprocess.run(
        ["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    if archive.returncode:
        pytest.skip(f"no git history with {PREVIOUS}")
    subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True, timeout=60)
    return tree


def test_flows_of_the_previous_commit_pass_on_the_new_schema(previous, tmp_path):
    """While web processes are replaced one by one, the old ones work on what the new migrations made."""
    tree = tmp_path / "tree"
    shutil.copytree(previous, tree)
    for migrations in ROOT.glob("*/migrations"):
        shutil.rmtree(tree / migrations.relative_to(ROOT))
        shutil.copytree(migrations, tree / migrations.relative_to(ROOT))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/flows"]
    flows = subprocess.run(command, cwd=tree, env=without_ours(), capture_output=True, text=True, timeout=900)
    assert flows.returncode == 0, flows.stdout[-4000:]
    assert " passed" in flows.stdout


async def test_upgrade_in_place_loses_nothing_of_half_done_interviews(previous, whisper, tmp_path):
    """Candidates have given one answer, which no worker has touched yet, and are in the middle of another."""
    var = tmp_path / "var"
    pcm = s16le_from_samples(spoken(SAID, pause_s=1.0))
    with demo(previous, var, whisper) as (process, facts):
        port = facts["url"].rsplit(":", 1)[1].strip("/")
        async with Site(facts["url"], api_key=facts["api_key"]) as site:
            stopped = stop_workers(process)
            half = await asyncio.gather(
                *(half_done(site, facts, number, pcm) for number in range(CANDIDATES))
            )
            for worker in stopped:  # they end without having looked at what waits
                worker.kill()
            end(process)
            with demo(ROOT, var, whisper, port=port) as (_, new_facts):
                await asyncio.gather(*(go_on(candidate, takes) for candidate, takes in half))
                await check_all(half, Site(new_facts["url"], api_key=new_facts["api_key"]))


async def check_all(half: list[tuple[LoadCandidate, list[Take]]], opened: Site) -> None:
    """Each answer's recording is what was said, byte for byte, and has its transcript."""
    async with opened as site:
        for candidate, takes in half:
            for take in takes:
                await check(site, take)
            assert set(candidate.errors) <= {"wrong_state"}, candidate.errors
            await candidate.leave()


async def half_done(site: Site, facts: dict, number: int, pcm: bytes) -> tuple[LoadCandidate, list[Take]]:
    invitation = await site.invite(facts["interviews"]["en"], f"Candidate {number}")
    candidate = LoadCandidate(site, invitation)
    await candidate.arrive()
    await candidate.enter()
    await candidate.check_devices()
    await candidate.skip_practice()
    first = await candidate.answer(pcm[number * 3200 :])
    await candidate.ask()
    second = await candidate.begin(pcm * 40)
    await candidate.until(lambda: second.acked > 0, "the first acknowledgement")
    return candidate, [first, second]


async def go_on(candidate: LoadCandidate, takes: list[Take]) -> None:
    acked = takes[1].acked
    await candidate.until(lambda: takes[1].acked > acked, "an acknowledgement after the upgrade")
    takes[1].stop()
    await candidate.finish(takes[1])
    await candidate.accept(takes[1])
    while candidate.question:
        takes.append(await candidate.answer(takes[0].pcm))
    await candidate.stored(within_s=600)


async def check(site: Site, take: Take) -> None:
    recording = await site.api(f"/answers/{take.answer_id}/recording")
    assert recording["sha256"] == take.sha256()
    deadline = time.monotonic() + 600
    while (transcript := await site.api(f"/answers/{take.answer_id}/transcript"))["status"] == "waiting":
        assert time.monotonic() < deadline, "the transcript did not come"
        await asyncio.sleep(1)
    assert transcript["status"] == "done", transcript


@contextlib.contextmanager
def demo(tree: Path, var: Path, settings: dict[str, str], port: str = "0"):
    """`make demo` of a tree: its process, and the facts it wrote once everything is ready."""
    environ = without_ours() | settings | {"VAR_DIR": str(var), "PORT": port}
    log = var.with_name(f"{tree.name}.log")
    summary = var / "demo.json"
    before = written_at(summary)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "interview_platform.demo"],
            cwd=tree, env=environ, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield process, ready(process, summary, log, before=before)
    finally:
        end(process)


def ready(process: subprocess.Popen, summary: Path, log: Path, *, before: int) -> dict:
    """Return the summary that this start of the demo wrote: an earlier one may still be there."""
    deadline = time.monotonic() + READY_WITHIN_S
    while written_at(summary) in (0, before):
        assert process.poll() is None, log.read_text()[-4000:]
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(0.2)
    return json.loads(summary.read_text())


def written_at(file: Path) -> int:
    """Return when the file was written, in ns; 0 if there is none."""
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def stop_workers(process: subprocess.Popen) -> list[psutil.Process]:
    """Freeze the workers: what is queued from now on stays in its queue."""
    workers = [p for p in psutil.Process(process.pid).children(recursive=True) if WORKER in p.cmdline()]
    assert workers
    for worker in workers:
        worker.send_signal(signal.SIGSTOP)
    return workers


def end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
