"""Two pools on one machine, one of them killed, frozen, slow and broken in turn: each answer gets one text.

Devices and models are pretended (`pool_worker.py`). With `-m proof -s` the times are those of production, and
the time to the answer is printed.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.db import connection as database
from django.utils import timezone

from interview_platform.demo.processes import end_with_parent
from tests import redis_connections
from tests.factories import tone
from voice.callers import Caller
from voice.models import Recording, Transcript
from voice.queues import calls, leases, pools
from voice.recordings import buffer, lifecycle
from voice.service import transcription
from voice.service.requests import TranscriptionRequest
from voice.workers import sweeper

ROOT = Path(__file__).resolve().parents[3]
PCM = tone(0.5)
WITHIN_S = 120

pytestmark = [pytest.mark.django_db(transaction=True)]


@dataclass(frozen=True, slots=True)
class Times:
    """Of leases, the attendant's beats, what workers tell, the sweeper, a reader's looks, and spilling."""

    lease_s: int
    beat_s: float
    tell_s: float
    sweep_s: float
    look_s: float
    spill_s: float


SHORT = Times(lease_s=2, beat_s=0.2, tell_s=0.2, sweep_s=0.2, look_s=0.3, spill_s=0.4)
PRODUCTION = Times(lease_s=8, beat_s=2.0, tell_s=2.0, sweep_s=5.0, look_s=3.0, spill_s=5.0)


@pytest.fixture(
    scope="module",
    params=[pytest.param(SHORT, id="short"), pytest.param(PRODUCTION, id="proof", marks=pytest.mark.proof)],
)
def times(request):
    return request.param


@pytest.fixture(scope="module")
def processes(times, django_db_setup):
    """The workers of both pools, by the name of their model; one that was killed is started again."""
    running = {}
    yield running
    for process in running.values():
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


@pytest.fixture
def client(clean_redis, times, settings, monkeypatch, processes):
    """Redis, with two living pools: `large` on a pretended GPU and `small`."""
    settings.SPILL_AFTER_S = times.spill_s
    monkeypatch.setattr(calls, "LOOK_AFTER_S", times.look_s)
    monkeypatch.setattr(leases, "LEASE_S", times.lease_s)
    start(processes, times, "stt-gpu,stt-call", "large", "cuda", pool="gpu")
    start(processes, times, "stt,stt-call", "small", "cpu")
    for process in processes.values():
        process.is_ready = process.is_ready or process.stdout.readline().startswith("ready: ")
        assert process.is_ready
    until(lambda: all(state.fit for state in pools.read(("stt-gpu", "stt"), "stt/en", clean_redis)))
    yield clean_redis
    for process in processes.values():
        process.send_signal(signal.SIGCONT)
    clean_redis.rpush("release:large", *range(9))
    until(lambda: not clean_redis.zcard("rq:wip:stt-gpu"))


def start(processes, times, list_names, model, device, *, pool=""):
    if model in processes:
        if processes[model].poll() is None:
            return
        processes[model].communicate()
    told = map(str, (times.lease_s, times.beat_s, times.tell_s))
    of_tests = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}")
    env = {"POOL": pool, "DATABASE_URL": of_tests.geturl()}
    processes[model] = subprocess.Popen(
        [sys.executable, "-m", "tests.voice.workers.pool_worker", list_names, model, device, *told],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=end_with_parent(signal.SIGKILL),
    )
    processes[model].is_ready = False


def until(condition, *, every_s=0.02):
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(every_s)


def answers(count):
    """Recordings of answers that have just ended."""
    made = []
    for _ in range(count):
        recording = lifecycle.create(language="en", max_seconds=10)
        async_to_sync(fill)(recording)
        lifecycle.seal(recording=recording, at_least=len(PCM), now=timezone.now() - lifecycle.NOT_SWEPT)
        made.append(recording)
    return made


async def fill(recording: Recording) -> None:
    await lifecycle.open_for(recording, writer="test")
    await buffer.write(recording.id, writer="test", offset=0, pcm=PCM)
    await redis_connections.close_those_of_this_loop()


def models_of(recordings, times, *, is_swept=True):
    """Wait for the text of each answer; return how many each model wrote. Print how long that took."""
    began, swept_at, ended = time.monotonic(), 0.0, []
    done = Transcript.objects.filter(recording__in=recordings, status=Transcript.Status.DONE)

    def look():
        nonlocal swept_at
        if is_swept and time.monotonic() - swept_at >= times.sweep_s:
            swept_at = time.monotonic()
            sweeper.sweep()
        ended.extend([time.monotonic() - began] * (done.count() - len(ended)))
        return len(ended) == len(recordings)

    until(look, every_s=0.05)
    print(f"\nto the answer: {', '.join(f'{seconds:.1f}' for seconds in ended)} s")
    return Counter(done.values_list("model", flat=True))


def written(client):
    """How often each transcript was written."""
    return Counter(client.lrange("written", 0, -1))


def begun(client, model):
    assert client.blpop([f"begun:{model}"], WITHIN_S)


def test_healthy_pools_give_answers_to_the_large_model(client, times):
    made = answers(3)

    assert models_of(made, times) == {"large": 3}


def test_slow_pool_is_helped_by_the_other(client, times):
    client.set("mode:large", 2 * times.spill_s)
    made = answers(6)

    by = models_of(made, times)

    assert by.total() == 6
    assert by["small"] >= 1
    assert set(written(client).values()) == {1}


def test_answers_of_a_broken_pool_go_on_at_once(client, times):
    client.set("mode:large", "fail")
    made = answers(2)

    assert models_of(made, times, is_swept=False) == {"small": 2}
    assert client.hget("voice:breaker:recognition:fake@gpu", "failures") == b"2"
    assert not client.exists("voice:breaker:recognition:fake")


async def test_caller_of_a_broken_pool_is_answered_by_the_other(client):
    client.set("mode:large", "fail")
    client.set("mode:small", "0")
    request = TranscriptionRequest.checked(language="en")

    results = []
    for _ in range(4):
        async with transcription.transcribe(request, PCM, Caller("test", "", "test"), is_pcm=True) as call:
            results.append(await call.complete())

    assert {result["model"] for result in results} == {"small"}


def test_answers_of_a_frozen_pool_are_written_by_the_other_and_once(client, times, processes):
    client.set("mode:large", "hold")
    made = answers(3)
    begun(client, "large")
    processes["large"].send_signal(signal.SIGSTOP)

    assert models_of(made, times) == {"small": 3}

    client.rpush("release:large", *range(9))
    processes["large"].send_signal(signal.SIGCONT)
    until(lambda: not client.zcard("rq:wip:stt-gpu"))
    assert set(written(client).values()) == {1}
    assert set(Transcript.objects.values_list("model", flat=True)) == {"small"}


@pytest.mark.proof  # the pool has to start again after it
async def test_caller_of_a_killed_pool_is_answered_by_the_other(client, processes):
    client.set("mode:large", "hold")
    client.set("mode:small", "0.5")
    processes["small"].send_signal(signal.SIGSTOP)  # so that the other one takes the call
    async with transcription.transcribe(
        TranscriptionRequest.checked(language="en"), PCM, Caller("test", "", "test"), is_pcm=True
    ) as call:
        begun(client, "large")
        processes["small"].send_signal(signal.SIGCONT)
        processes["large"].kill()
        result = await call.complete()

    assert result["model"] == "small"


def test_answers_of_a_killed_pool_are_written_by_the_other_and_once(client, times, processes):
    client.set("mode:large", "hold")
    made = answers(3)
    begun(client, "large")
    processes["large"].kill()

    assert models_of(made, times) == {"small": 3}
    assert set(written(client).values()) == {1}
