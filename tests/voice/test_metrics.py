"""What Prometheus scrapes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.urls import reverse

from voice import breaker, hot_audio, speech_cache
from voice.breaker import Breaker
from voice.engines.base import TransientFailure
from voice.speech_cache import CachedSpeech

ROOT = Path(__file__).resolve().parent.parent.parent
STARTED = "import sys, django; django.setup(); from voice import metrics; "


@pytest.fixture
def processes(tmp_path, clean_redis):
    """A function: run Python in a process of its own, which counts with the others; what it printed."""
    env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(code):
        done = subprocess.run(
            [sys.executable, "-c", STARTED + code], env=env, cwd=ROOT, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return run


def scraped(processes):
    return processes("sys.stdout.buffer.write(metrics.exposition())").splitlines()


def test_page_has_what_lies_in_redis(client, clean_redis, settings):
    settings.VOICE = settings.VOICE | {"STT_ENGINES": ["deepgram"], "TTS_ENGINES": ["piper"]}
    for _ in range(5):
        Breaker("recognition", "deepgram").admit().failed(TransientFailure("503"))
    speech_cache.put("a", CachedSpeech(b"x" * 98))

    lines = client.get(reverse("metrics")).content.decode().splitlines()

    assert 'voice_breaker_state{direction="recognition",engine="deepgram"} 2.0' in lines
    assert 'voice_breaker_state{direction="synthesis",engine="piper"} 0.0' in lines
    assert "voice_cache_bytes 100.0" in lines
    assert "voice_cache_items 1.0" in lines
    assert reverse("metrics") == "/metrics"


def test_page_without_redis_has_the_rest(client, monkeypatch):
    away = redis.Redis(port=1, retry=None)
    monkeypatch.setattr(hot_audio, "sync_client", lambda: away)
    monkeypatch.setattr(breaker, "_default_connection", lambda: away)

    page = client.get(reverse("metrics")).content.decode()

    assert "voice_cache_requests_total" in page
    assert "voice_breaker_state" not in page


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
        "metrics.CONNECTIONS.labels('asr').inc(2); sys.stdout.buffer.write(metrics.exposition())"
    ).splitlines()

    assert 'voice_connections{socket="asr"} 2.0' in lines
