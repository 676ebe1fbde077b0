"""A worker for tests of the service's interfaces: real queues and jobs, fake engines."""

import os
import threading
from dataclasses import dataclass

import pytest
import redis

from tests import factories
from tests.fakes import FakeRecognition, FakeSynthesis
from tests.package_index import served_index
from tests.voice.web.rest import KeyClient
from voice.callers import READ, WRITE
from voice.inference import recognizer, synthesizer
from voice.service import synthesis
from voice.speech import voices
from voice.workers import slot
from voice.workers.worker import VoiceWorker

QUEUES = [
    *(
        "tts",
        "tts-call",
        "stt",
        "stt-ahead",
        "stt-later",
        "stt-partial",
        "stt-call",
        "stt-call-partial",
        "stt-batch",
    ),
    *("audio", "cron", "default"),
]


@pytest.fixture
def package_index(tmp_path, monkeypatch):
    """An empty index of packages, and an empty list of weights."""
    with served_index(tmp_path / "index", monkeypatch) as index:
        yield index


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
    monkeypatch.setattr(synthesis, "_known", synthesis._Known())
    return engines


@pytest.fixture
def worker(engines, monkeypatch):
    """A worker in this process serves all queues of speech with `engines`, which it is."""
    monkeypatch.setattr(slot, "DEQUEUE_S", 0.05)  # how soon a slot sees that it is to stop
    monkeypatch.setattr("voice.workers.worker.TELL_EVERY_S", 0.2)
    with redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=60) as client:
        program = VoiceWorker(QUEUES, connection=client, slot_count=3)
        program.start()
        try:
            yield engines
        finally:
            assert program.stop()
            for thread in threading.enumerate():
                if thread.name in ("telling", "attendant"):  # they end last, and still use the client
                    thread.join(60)


@pytest.fixture
def key(transactional_db):
    """An API key for the speech service."""
    return factories.ApiKeyFactory(scopes=[READ, WRITE])


@pytest.fixture
def api(key):
    """A client that sends the key."""
    return KeyClient(key.plain)
