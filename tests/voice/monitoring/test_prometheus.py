"""The metrics page that Prometheus scrapes."""

import os
import re
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.db import DatabaseError
from django.urls import reverse
from prometheus_client import REGISTRY

from tests import factories
from tests.factories import tone
from voice.errors import TransientFailure
from voice.inference import breaker
from voice.inference.breaker import Breaker
from voice.infra import redis_clients
from voice.models import Recording
from voice.monitoring import prometheus, readiness
from voice.queues import jobs
from voice.recordings import storage
from voice.speech import cache
from voice.speech.cache import CachedSpeech
from voice.workers import sweeper, transcription

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db(transaction=True)  # the stores are read in threads
STARTED = (
    "import sys, django; django.setup(); from voice import metrics; from voice.monitoring import prometheus; "
)


@pytest.fixture
def processes(tmp_path, clean_redis):
    """A function that runs Python in a process that shares the metrics, and returns its output."""
    env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(code):
        done = subprocess.run(
            [sys.executable, "-c", STARTED + code], env=env, cwd=ROOT, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return run


def scraped(processes):
    return processes("sys.stdout.buffer.write(prometheus.text())").splitlines()


def test_page_has_what_lies_in_redis(client, clean_redis, settings):
    settings.VOICE = settings.VOICE | {"STT_ENGINES": ["deepgram"], "TTS_ENGINES": ["piper"]}
    for _ in range(5):
        Breaker("recognition", "deepgram").admit().failed(TransientFailure("503"))
    cache.put("a", CachedSpeech(b"x" * 98))

    lines = client.get(reverse("metrics")).content.decode().splitlines()

    assert 'voice_breaker_state{direction="recognition",engine="deepgram"} 2.0' in lines
    assert 'voice_breaker_state{direction="synthesis",engine="piper"} 0.0' in lines
    assert "voice_cache_bytes 100.0" in lines
    assert "voice_cache_items 1.0" in lines
    assert reverse("metrics") == "/metrics"


def test_page_without_redis_has_the_rest(client, monkeypatch):
    away = redis.Redis(port=1, retry=None)
    monkeypatch.setattr(redis_clients, "sync_client", lambda: away)
    monkeypatch.setattr(breaker, "_default_connection", lambda: away)

    page = client.get(reverse("metrics")).content.decode()

    assert "voice_cache_requests_total" in page
    assert "voice_breaker_state" not in page
    assert "voice_queue_length" not in page
    assert "voice_recordings_waiting 0.0" in page
    assert 'voice_store_up{store="redis"} 0.0' in page
    assert 'voice_store_up{store="postgresql"} 1.0' in page


def test_page_without_postgresql_has_the_rest(client, clean_redis, monkeypatch):
    def fail():
        raise DatabaseError

    monkeypatch.setattr(prometheus, "recordings_waiting", fail)

    page = client.get(reverse("metrics")).content.decode()

    assert "voice_breaker_state" in page
    assert "voice_recordings_waiting" not in page


def test_page_comes_though_every_store_hangs(client, clean_redis, monkeypatch):
    """They answer when the page has come, so that without its limit it would never come."""
    has_come = threading.Event()
    for collector in (prometheus.RedisState, prometheus.DatabaseState):
        monkeypatch.setattr(collector, "collect", lambda self: has_come.wait(120) and [])
    hung = {store: lambda store=store: has_come.wait(120) for store in readiness.STORES}
    monkeypatch.setattr(readiness, "STORES", hung)
    monkeypatch.setattr(prometheus, "WITHIN_S", 0.05)

    page = client.get(reverse("metrics")).content.decode()
    has_come.set()

    assert "voice_cache_requests_total" in page
    assert "voice_queue_length" not in page
    assert [line for line in page.splitlines() if line.startswith("voice_store_up")] == [
        f'voice_store_up{{store="{store}"}} 0.0' for store in ("postgresql", "redis", "storage")
    ]


def test_queues_and_what_waits_in_postgresql_are_told(client, clean_redis):
    jobs.enqueue_now("stt", "voice.workers.transcription.transcribe", "an-id")
    factories.TranscriptFactory(recording=factories.RecordingFactory(sealed=True))
    factories.TranscriptFactory(recording=factories.RecordingFactory(sealed=True), is_deferred=True)
    waiting = Recording.objects.filter(status=Recording.Status.SEALED)

    lines = client.get(reverse("metrics")).content.decode().splitlines()

    assert 'voice_queue_length{queue="stt"} 1.0' in lines
    assert 'voice_queue_length{queue="stt-later"} 0.0' in lines
    assert any(line.startswith('voice_queue_oldest_seconds{queue="stt"} ') for line in lines)
    assert "voice_recordings_waiting 2.0" in lines
    assert f"voice_recording_bytes_waiting {float(sum(row.byte_count for row in waiting))}" in lines
    assert 'voice_transcripts_waiting{kind="live"} 1.0' in lines
    assert 'voice_transcripts_waiting{kind="deferred"} 1.0' in lines


def test_last_sweep_is_told(client, clean_redis):
    assert "voice_last_sweep_timestamp_seconds 0.0" in client.get(reverse("metrics")).content.decode()

    sweeper.sweep()

    [line] = re.findall(
        "^voice_last_sweep_timestamp_seconds (.+)$", client.get("/metrics").content.decode(), re.M
    )
    assert float(line) == float(clean_redis.get("voice:swept")) > 0


def test_processes_are_added_up_and_what_they_share_is_there(processes):
    for _ in range(2):
        processes("metrics.CACHE_REQUESTS.labels('hit').inc(3)")

    lines = scraped(processes)

    assert 'voice_cache_requests_total{outcome="hit"} 6.0' in lines
    assert any(line.startswith("voice_breaker_state{") for line in lines)
    assert "voice_cache_bytes 0.0" in lines


def test_connections_of_a_process_that_was_killed_are_gone(processes):
    processes("import os; metrics.CONNECTIONS.labels('asr').inc(7); os._exit(0)")

    lines = scraped(processes)

    assert not any(line.startswith("voice_connections{") for line in lines)


def test_connections_of_living_processes_are_added_up(processes, tmp_path):
    lines = processes(
        "metrics.CONNECTIONS.labels('asr').inc(2); sys.stdout.buffer.write(prometheus.text())"
    ).splitlines()

    assert 'voice_connections{socket="asr"} 2.0' in lines


def test_level_of_the_furthest_process_is_told(processes):
    lines = processes(
        "import os, subprocess; metrics.RETREAT_LEVEL.set(1); "
        'child = "import django; django.setup(); from voice import metrics; metrics.RETREAT_LEVEL.set(3); '
        'print(flush=True); input()"; '
        "run = subprocess.Popen([sys.executable, '-c', child], stdin=-1, stdout=-1); run.stdout.readline(); "
        "sys.stdout.buffer.write(prometheus.text()); run.communicate(b'\\n')"
    ).splitlines()

    assert "voice_retreat_level 3.0" in lines


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_recording_is_counted_once_when_it_is_stored(clean_redis, monkeypatch):
    recording = factories.RecordingFactory(sealed=True)
    monkeypatch.setattr(storage, "read_pcm", lambda row: tone(2.0))
    names = [
        "voice_recordings_stored_total",
        "voice_recording_bytes_stored_total",
        "voice_stored_after_seconds_sum",
    ]
    before = [counted(name) for name in names]

    for _ in range(2):
        storage.store(recording, now=recording.sealed_at + timedelta(seconds=7))

    after = [counted(name) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx([1, len(tone(2.0)), 7])


def test_transcript_is_counted_once_when_it_is_made(clean_redis, fake_recognition):
    recording = factories.TranscriptFactory(recording=factories.RecordingFactory(stored=True)).recording
    before = counted("voice_transcripts_total", outcome="done")
    after_s = counted("voice_transcript_after_seconds_count")

    for _ in range(2):
        transcription.transcribe(str(recording.pk))

    assert counted("voice_transcripts_total", outcome="done") == before + 1
    assert counted("voice_transcript_after_seconds_count") == after_s + 1
