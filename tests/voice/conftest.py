"""A worker for tests of the service's interfaces: real queues and jobs, fake engines."""

import os
import threading
from dataclasses import dataclass

import pytest
import redis

from accounts.models import ApiKey
from tests import factories
from tests.fakes import FakeRecognition, FakeSynthesis
from tests.voice.web.rest import KeyClient
from voice.inference import recognizer, synthesizer
from voice.service import synthesis as service_synthesis
from voice.speech import voices
from voice.workers import slot
from voice.workers import worker as workers

QUEUES = ["tts", "stt", "stt-partial", "stt-later", "stt-batch", "cron", "default"]


@dataclass
class Engines:
    """The worker's engines; a test may replace them."""

    recognition: FakeRecognition
    synthesis: FakeSynthesis


@pytest.fixture
def engines(clean_redis, monkeypatch):
    """Fake engines in this process, behind the real chains; no worker runs."""
    engines = Engines(FakeRecognition(), FakeSynthesis())
    engines.recognition.load()
    engines.synthesis.load()
    monkeypatch.setattr(recognizer, "recognizer", lambda: recognizer.Recognizer([engines.recognition]))
    monkeypatch.setattr(synthesizer, "synthesizer", lambda: synthesizer.Synthesizer([engines.synthesis]))
    monkeypatch.setattr(voices, "known", lambda: engines.synthesis.voices())
    monkeypatch.setattr(service_synthesis, "_known", service_synthesis._Known())
    return engines


@pytest.fixture
def worker(engines, monkeypatch):
    """A worker in this process that serves all speech queues with `engines`."""
    monkeypatch.setattr(slot, "DEQUEUE_S", 0.05)  # delay until a slot notices a stop
    monkeypatch.setattr(workers, "BEAT_S", 0.2)
    with redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=60) as client:
        program = workers.VoiceWorker(QUEUES, connection=client, slot_count=3)
        program.start()
        try:
            yield engines
        finally:
            assert program.stop()
            for thread in threading.enumerate():
                if thread.name == "heartbeat":  # it is told last, and still uses the client
                    thread.join(60)


@pytest.fixture
def key(transactional_db):
    """An API key for the speech service."""
    return factories.ApiKeyFactory(scopes=[ApiKey.Scope.VOICE])


@pytest.fixture
def api(key):
    """A client that sends the key."""
    return KeyClient(key.plain)
