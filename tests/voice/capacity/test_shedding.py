"""Load shedding: measured pressure, skipped work, and reports to other processes."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from rq.job import Job
from rq.utils import utcformat

from voice.capacity import ladder, shedding
from voice.capacity.shedding import Felt, ProcessRetreat, Step, StepOff, pressure
from voice.infra import redis_clients
from voice.queues import jobs, waits

WITHIN_S = 120


def queue_job(name, client, *, age_s):
    """Queue a job that has waited for this time."""
    jobs.enqueue_now(name, "voice.workers.transcription.transcribe", "an-id", job_id=f"job-in-{name}")
    queued_at = utcformat(datetime.now(UTC) - timedelta(seconds=age_s))
    client.hset(Job.key_for(f"job-in-{name}"), "enqueued_at", queued_at)


@pytest.fixture
def hasty(monkeypatch, clean_redis):
    """A monitor that samples often, takes a step at each sample, and measures only the queues."""
    monkeypatch.setattr(shedding, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(shedding, "LATE_S", 1e6)
    monkeypatch.setattr(ladder, "FURTHER_AFTER_S", 0.0)
    monkeypatch.setattr(ladder, "SHORTEST_BACK_S", 0.0)
    monkeypatch.setattr(ladder, "LONGEST_BACK_S", 0.0)
    return clean_redis


async def until(is_true):
    async with asyncio.timeout(WITHIN_S):
        while not is_true():  # noqa: ASYNC110  the monitor sends no event
            await asyncio.sleep(0.01)


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


# Pressure


@pytest.mark.parametrize(
    "felt", [Felt(late_s=0.2), Felt(behind_s=2.0), Felt(queued_s=10.0), Felt(late_s=0.2, queued_s=90.0)]
)
def test_each_of_them_alone_is_too_much(felt):
    assert pressure(felt, 0) >= ladder.TOO_MUCH


def test_nothing_felt_is_calm():
    assert pressure(Felt(), Step.NEWCOMERS) < ladder.CALM
    assert (
        pressure(Felt(late_s=0.05, behind_s=0.5, queued_s=3.0, deferred_s=3.0), Step.NEWCOMERS) < ladder.CALM
    )


def test_queues_alone_never_send_newcomers_away():
    waiting = Felt(queued_s=3600.0, deferred_s=3600.0)
    assert pressure(waiting, Step.HEARING) >= ladder.TOO_MUCH
    assert pressure(waiting, Step.TRANSCRIPTS) == shedding.HELD
    assert ladder.CALM <= shedding.HELD < ladder.TOO_MUCH


def test_late_process_goes_all_the_way():
    assert pressure(Felt(late_s=0.3), Step.TRANSCRIPTS) >= ladder.TOO_MUCH


def test_no_queue_keeps_newcomers_waiting():
    behind = Felt(late_s=0.05, queued_s=3600.0, deferred_s=3600.0)
    assert pressure(behind, Step.NEWCOMERS) < ladder.CALM
    assert pressure(behind._replace(late_s=0.15), Step.NEWCOMERS) >= ladder.CALM


def test_deferred_transcripts_hold_the_level_until_they_are_made():
    assert pressure(Felt(deferred_s=60.0), Step.TRANSCRIPTS) == shedding.HELD
    assert pressure(Felt(deferred_s=60.0), 0) == shedding.HELD


def test_wait_in_a_queue_is_that_of_its_first_job(clean_redis):
    queue_job("stt", clean_redis, age_s=30)
    jobs.enqueue_now("stt", "voice.workers.transcription.transcribe", "a-later-one")
    queues = waits.read(["stt", "stt-later"], clean_redis)
    assert queues["stt"].length == 2
    assert 30 <= queues["stt"].oldest_s < 60
    assert queues["stt-later"] == (0, 0.0)


async def test_lateness_is_what_blocks_the_loop(monkeypatch):
    monkeypatch.setattr(shedding, "LOOK_EVERY_S", 0.04)
    asyncio.get_running_loop().call_later(0.005, time.sleep, 0.1)
    assert 0.05 <= await shedding._late_s() < WITHIN_S


# Steps


def on_time() -> float:
    """Report no delay of voice activity."""
    return 0.0


async def test_old_jobs_take_steps_in_order_and_no_newcomer_waits(hasty, monkeypatch):
    taken = []
    monkeypatch.setattr(shedding, "_changed", lambda step, direction, *felt: taken.append((step, direction)))
    queue_job("stt", hasty, age_s=60)

    shedding.watch(on_time)
    await until(lambda: shedding.is_off(Step.TRANSCRIPTS))
    assert not shedding.is_off(Step.NEWCOMERS)
    hasty.delete(jobs.key("stt"))
    await until(lambda: not shedding.is_off(Step.SPECULATION))

    steps = [step for step in Step if step < Step.NEWCOMERS]
    assert taken == [(step, "off") for step in steps] + [(step, "on") for step in reversed(steps)]


async def test_listening_that_is_behind_takes_the_last_step_too(hasty):
    shedding.watch(lambda: 5.0)
    await until(lambda: shedding.is_off(Step.NEWCOMERS))


async def test_steps_are_counted_and_logged(hasty, caplog):
    before = counted("voice_retreat_changes_total", step="semantic", direction="off")
    queue_job("stt", hasty, age_s=60)
    shedding.watch(on_time)
    await until(lambda: shedding.is_off(Step.TRANSCRIPTS))
    assert counted("voice_retreat_changes_total", step="semantic", direction="off") == before + 1
    assert counted("voice_retreat_level") == Step.TRANSCRIPTS
    assert "retreat: transcripts is off (late 0.0 s, behind 0.0 s, queued 60." in caplog.text


async def test_each_event_loop_begins_with_nothing_off_and_is_watched_once(hasty):
    tasks = len(asyncio.all_tasks())
    shedding.watch(on_time)
    shedding.watch(on_time)
    assert len(asyncio.all_tasks()) == tasks + 1
    assert not shedding.is_off(Step.SPECULATION)


async def test_monitor_that_ends_leaves_nothing_off(hasty):
    failures = []

    def behind_s():
        if failures:
            raise failures[0]
        return 5.0

    shedding.watch(behind_s)
    await until(lambda: shedding.is_off(Step.NEWCOMERS))

    failures.append(ValueError())
    await until(lambda: not shedding.is_off(Step.SPECULATION))
    await asyncio.wait([shedding._monitor])
    assert isinstance(shedding._monitor.exception(), ValueError)

    shedding.watch(lambda: 5.0)
    await until(lambda: shedding.is_off(Step.SEMANTIC))


async def test_redis_away_presses_nobody(hasty, monkeypatch):
    import redis.asyncio

    looked = []

    def away():
        looked.append(1)
        return redis.asyncio.Redis(port=1, retry=None)

    monkeypatch.setattr(redis_clients, "async_client", away)
    shedding.watch(on_time)
    await until(lambda: len(looked) > 3)
    assert not shedding.is_off(Step.SPECULATION)


# Reports


async def test_process_tells_what_is_off_and_for_how_long(hasty):
    queue_job("stt", hasty, age_s=60)
    shedding.watch(on_time)
    await until(lambda: any(len(process.off_s) == Step.TRANSCRIPTS for process in shedding.processes(hasty)))
    (process,) = shedding.processes(hasty)
    assert process.process == shedding._this_process()
    assert all(0 <= seconds < WITHIN_S for seconds in process.off_s)


def test_process_that_was_not_heard_of_counts_no_more(clean_redis):
    now = int(time.time())
    clean_redis.hset(shedding.KEY, "a:1", f"{now - 5} {json.dumps([7.5, 2.0])}")
    clean_redis.hset(shedding.KEY, "b:2", f"{now - 60} [1]")
    (process,) = shedding.processes(clean_redis)
    assert process.process == "a:1"
    assert process.off_s == pytest.approx([12.5, 7.0], abs=2)
    assert clean_redis.hkeys(shedding.KEY) == [b"a:1"]


def test_steps_are_added_up_over_processes():
    processes = [
        ProcessRetreat("a:1", [30.0, 20.0]),
        ProcessRetreat("a:2", [40.0]),
        ProcessRetreat("b:3", []),
    ]
    assert shedding.steps_off(processes) == [
        StepOff(Step.SPECULATION, 2, 40.0),
        StepOff(Step.SEMANTIC, 1, 20.0),
    ]
