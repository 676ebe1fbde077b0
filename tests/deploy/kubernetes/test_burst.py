"""A burst of put-off transcripts: real workers, as many as KEDA's rules ask for, from none to none.

A simulation: `autoscaler.py` stands for KEDA and the API server, processes stand for pods, and the clock of
the autoscaler runs `SPEED` times as fast, so that a cooldown of minutes takes seconds.
"""

import os
import random
import subprocess
import sys
import time
from signal import SIGKILL, SIGTERM
from urllib.parse import urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.db import connection as database
from django.utils import timezone

from interview_platform.demo.processes import end_with_parent
from tests import redis_connections
from tests.deploy.kubernetes.autoscaler import Autoscaler, readings
from tests.deploy.kubernetes.manifests import ROOT, of_kind, pods
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples
from voice.models import Recording, Transcript
from voice.recordings import buffer, lifecycle
from voice.workers import sweeper

POOL = "worker-stt-later"
ANSWERS = 60
SPEED = 10
SYNC_S = 15.0  # how often the autoscaler looks
SWEEP_S = 5.0
WITHIN_S = 900

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1200), pytest.mark.django_db(transaction=True)]


class Pods:
    """Processes of a pool's own command."""

    def __init__(self, command):
        self.command = [sys.executable, *command[1:]]
        self.running, self.leaving, self.most = [], [], 0
        of_tests = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}")
        self.env = {**os.environ, "DATABASE_URL": of_tests.geturl(), "STT_ENGINES": "pocketsphinx"}

    def scale(self, count):
        while len(self.running) < count:
            self.running.append(
                subprocess.Popen(
                    self.command, cwd=ROOT, env=self.env, preexec_fn=end_with_parent(SIGKILL), text=True
                )
            )
        while len(self.running) > count:  # which one cannot be chosen
            pod = self.running.pop(random.randrange(len(self.running)))
            pod.send_signal(SIGTERM)
            self.leaving.append(pod)
        self.most = max(self.most, count)

    def kill(self):
        for pod in self.running + self.leaving:
            pod.kill()
            pod.wait()


@pytest.fixture
def pool(largest, clean_redis):
    started = Pods(pods(largest)[POOL].container["args"])
    yield started
    started.kill()


def put_off(count):
    """Answers whose transcripts were put off."""
    pcm = s16le_from_samples(spoken("I built a small service that reads invoices."))
    for _ in range(count):
        recording = lifecycle.create(language="en", max_seconds=20)
        async_to_sync(fill)(recording, pcm)
        now = timezone.now() - lifecycle.NOT_SWEPT
        lifecycle.seal(recording=recording, at_least=len(pcm), now=now)


async def fill(recording: Recording, pcm: bytes) -> None:
    await lifecycle.open_for(recording, writer="test")
    await buffer.write(recording.id, writer="test", offset=0, pcm=pcm)
    await redis_connections.close_those_of_this_loop()


def test_burst_brings_the_pool_up_and_down_again_and_loses_nothing(largest, pool, clean_redis, monkeypatch):
    monkeypatch.setattr(lifecycle.shedding, "is_off", lambda step: True)
    scaler = Autoscaler(of_kind(largest, "ScaledObject")[POOL])
    put_off(ANSWERS)
    began, swept_at, first_s, last_s, counts = time.monotonic(), 0.0, 0.0, 0.0, []

    while counts[-1:] != [0] or not last_s:
        passed_s = time.monotonic() - began
        assert passed_s < WITHIN_S
        if passed_s - swept_at >= SWEEP_S or not counts:
            sweeper.sweep()
            swept_at = passed_s
        pool.scale(
            scaler.step(passed_s * SPEED, len(pool.running), readings(scaler.scaled_object, clean_redis))
        )
        counts.append(len(pool.running))
        done = Transcript.objects.filter(status=Transcript.Status.DONE).count()
        first_s = first_s or (passed_s if done else 0.0)
        last_s = last_s or (passed_s if done == ANSWERS else 0.0)
        time.sleep(SYNC_S / SPEED)

    changes = [count for at, count in enumerate(counts) if not at or count != counts[at - 1]]
    print(f"\npods: {changes}; first text after {first_s:.1f} s, all {ANSWERS} after {last_s:.1f} s")
    assert pool.most > 1
    assert Transcript.objects.filter(status=Transcript.Status.DONE).count() == ANSWERS
    assert all(pod.wait(60) == 0 for pod in pool.leaving)
