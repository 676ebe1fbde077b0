"""A worker whose model holds Python's lock: its /health, and how long it takes to end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.db import connection as database
from django.utils import timezone

from interview_platform.demo.embedded import free_port
from interview_platform.demo.processes import end_with_parent
from tests import redis_connections
from tests.faults.waiting import wait_for
from tests.interview_platform.management.test_rqcron import asked
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples
from voice.models import Transcript
from voice.recordings import buffer, lifecycle

ROOT = Path(__file__).resolve().parents[2]
SAID = "I built a small service that reads invoices. It found mistakes that people had missed for years. "
JOBS, LOOKS, GRACE_S = 6, 40, 3

pytestmark = [pytest.mark.proof, pytest.mark.django_db(transaction=True)]


def answer(pcm: bytes) -> None:
    """A complete recording, whose transcript waits."""
    recording = lifecycle.create(language="en", max_seconds=600)

    async def fill() -> None:
        await lifecycle.open_for(recording, writer="test")
        for offset in range(0, len(pcm), 64_000):
            await buffer.write(recording.id, writer="test", offset=offset, pcm=pcm[offset : offset + 64_000])
        await redis_connections.close_those_of_this_loop()

    async_to_sync(fill)()
    lifecycle.seal(recording=recording, at_least=len(pcm), now=timezone.now())


def test_worker_with_a_busy_model_is_healthy_and_ends_in_time(clean_redis):
    pcm = s16le_from_samples(spoken(SAID * 12))
    for _ in range(JOBS):
        answer(pcm)
    port = free_port()
    of_tests = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}")
    settings = {
        "STT_ENGINES": "pocketsphinx",
        "WORKER_GRACE_S": str(GRACE_S),
        "DATABASE_URL": of_tests.geturl(),
    }
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "voiceworker", "stt", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | settings,
        preexec_fn=end_with_parent(signal.SIGKILL),
    )
    try:
        wait_for(lambda: Transcript.objects.filter(attempts=1).exists(), "a job to begin")
        took = []
        for _ in range(LOOKS):
            began = time.monotonic()
            assert asked(port, "/health")[0] == 200
            took.append(time.monotonic() - began)
            time.sleep(0.1)
        began = time.monotonic()
        worker.terminate()
        worker.wait(120)
        ended_s = time.monotonic() - began
    finally:
        worker.kill()
        worker.wait()
    print(f"\n/health: {max(took):.2f} s at most; ended {ended_s:.1f} s after SIGTERM, grace {GRACE_S} s")

    assert set(Transcript.objects.values_list("attempts", flat=True)) <= {0, 1}
