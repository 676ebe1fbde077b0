"""PostgreSQL and Redis for every test, and fixtures that several folders use.

Both servers run before Django's settings are read, so Django is set up here: were its settings named in
pyproject.toml, pytest-django would read them before this file. Where DATABASE_URL or REDIS_URL is set, that
one is used instead; the tests then empty that Redis database.

With `-n 2` pytest-xdist starts two more processes, which run the tests. They use the PostgreSQL of the first
process, each with databases of its own, and start a Redis each.
"""

import atexit
import contextlib
import gc
import inspect
import os
import shutil
import tempfile
from pathlib import Path

import django
import hypothesis
import pytest

from interview_platform.backends import hashers
from interview_platform.demo import embedded

ROOT = Path(__file__).resolve().parent.parent
STANDIN_SENTENCE = "we measured the answer and wrote it down again"  # what the stand-in Whisper hears
XDIST_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_servers = contextlib.ExitStack()
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")
gc.disable()  # until all tests are collected: modules and tests stay, so nothing becomes garbage


def _run_directory() -> Path:
    """A directory of this process. That of a process of pytest-xdist lies in that of the first process."""
    if XDIST_WORKER:
        directory = Path(os.environ["TESTS_DIRECTORY"]) / XDIST_WORKER
        directory.mkdir()
    else:
        directory = Path(tempfile.mkdtemp(prefix="interviews-"))
        os.environ["TESTS_DIRECTORY"] = str(directory)
        _servers.callback(shutil.rmtree, directory, ignore_errors=True)
    directory.chmod(0o711)  # as root, PostgreSQL runs as another user
    return directory


def _start_servers(directory: Path) -> None:
    if "DATABASE_URL" not in os.environ:
        url = _servers.enter_context(embedded.postgresql(directory / "postgresql", is_durable=False))
        os.environ["DATABASE_URL"] = url
    if "REDIS_URL" not in os.environ:
        os.environ["REDIS_URL"] = _servers.enter_context(
            embedded.redis(directory / "redis", append_only=False)
        )


def _set_environment(directory: Path) -> None:
    (directory / "var" / "static").mkdir(parents=True)  # whitenoise warns if it is missing
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "interview_platform.settings",
        "SECRET_KEY": "tests",
        "TOKEN_KEYS": "the-only-key-of-links-in-these-tests",
        "VAR_DIR": str(directory / "var"),
        # The default needs a manifest of collected files.
        "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
        "HF_HUB_OFFLINE": "1",  # tests download nothing
        "PIP_NO_INDEX": "1",
        "NPM_CONFIG_OFFLINE": "true",
        "LOG_LEVEL": "WARNING",
        "METRICS_NETWORKS": "127.0.0.0/8",
    }


atexit.register(_servers.close)
RUN_DIRECTORY = _run_directory()
_start_servers(RUN_DIRECTORY)
_set_environment(RUN_DIRECTORY)
django.setup()  # conftest.py files below this one may import models
# Of a million, which take a third of a second: no test is about how long one guess takes.
hashers.PatientPBKDF2PasswordHasher.iterations = 1000

pytest_plugins = ["tests.database", "tests.distribution", "tests.sizes", "tests.faults.table"]


def pytest_collection_finish() -> None:
    """Collect garbage again, but never look at what is loaded now: a third of a gigabyte of objects."""
    gc.freeze()
    gc.enable()
    atexit.register(gc.unfreeze)  # the interpreter collects everything once more at its end


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """The first of several processes collects no tests."""
    gc.enable()


@pytest.fixture
def clean_redis():
    """The emptied Redis of REDIS_URL."""
    import redis

    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()
        yield client


@pytest.fixture(autouse=True)
def closed_connections(request):
    """Close the connections of each async test, which has an event loop and a thread of its own."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("connections_of_this_loop")


@pytest.fixture
async def connections_of_this_loop():
    from asgiref.sync import sync_to_async
    from django.db import connections

    from tests import redis_connections

    yield
    await redis_connections.close_those_of_this_loop()
    await sync_to_async(connections.close_all)()


@pytest.fixture(scope="session")
def run_directory() -> Path:
    """A directory for this test run, removed afterwards."""
    return RUN_DIRECTORY


@pytest.fixture(scope="session")
def shared_speech() -> Path:
    """The directory of recorded speech with its texts in `manifest.tsv`, if this machine has it."""
    directory = ROOT.parent / "shared" / "speech"
    if not (directory / "manifest.tsv").exists():
        pytest.skip("the recordings of ../shared/speech are not on this machine")
    return directory


@pytest.fixture(scope="session")
def whisper_model(run_directory) -> Path:
    """A model for the real faster-whisper that transcribes any audio as STANDIN_SENTENCE."""
    from tests.standins import build_whisper

    return build_whisper(run_directory / "models" / "whisper", say=STANDIN_SENTENCE)


@pytest.fixture(scope="session")
def piper_voices(run_directory) -> Path:
    """A directory with one voice for the real Piper. The voice hums."""
    from tests.standins import build_piper_voice

    directory = run_directory / "models" / "piper"
    build_piper_voice(directory)
    return directory


@pytest.fixture(scope="session")
def language_model_server():
    """The language model of whole systems. Only an organisation that turns it on gets it."""
    from tests.vendors.language_model import LanguageModelServer

    with LanguageModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def traces():
    """What the processes of `stack` trace (tests/otlp.py)."""
    from tests import otlp

    with otlp.receiving() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def stack(run_directory, whisper_model, piper_voices, language_model_server, traces):
    """The whole system, running: web processes, workers, cron (tests/stack.py)."""
    from tests import follow_ups
    from tests.stack import Stack, small

    models = {"WHISPER_MODEL": str(whisper_model), "PIPER_VOICES_DIR": str(piper_voices)}
    env = {**models, **follow_ups.environment(language_model_server), "DRAIN_S": "2", "LOG_FORMAT": "json"}
    env["WEBHOOK_NETWORKS"] = "127.0.0.0/8"
    with Stack(run_directory / "stack", env=env | traces.environment, adapt=small) as running:
        running.wait_ready()
        yield running


@pytest.fixture
def encryption(settings, tmp_path_factory):
    """Encryption at rest, on, with a store of its own for the data keys."""
    from voice.encryption import keys

    on = {"ENCRYPTION": True, "ENCRYPTION_KEYS": ["a key of these tests, of 32 characters"]}
    settings.VOICE = settings.VOICE | on
    place = {"OPTIONS": {"location": tmp_path_factory.mktemp("data-keys")}}
    settings.STORAGES = settings.STORAGES | {"data_keys": settings.STORAGES["data_keys"] | place}
    keys.forget_all()
    yield
    keys.forget_all()


@pytest.fixture
def use_recognition(monkeypatch):
    """Make jobs of this process transcribe with the given object."""
    from voice.inference import recognizer

    def use(engine):
        monkeypatch.setattr(engine, "window_engine", lambda language: None, raising=False)
        monkeypatch.setattr(recognizer, "recognizer", lambda: engine)
        return engine

    return use


@pytest.fixture
def fake_recognition(use_recognition):
    """Make jobs of this process transcribe with the verified fake."""
    from tests.fakes import FakeRecognition

    engine = FakeRecognition()
    engine.load()
    return use_recognition(engine)


@pytest.fixture
def fail_recognition(use_recognition):
    """Make transcription in this process raise the given error."""

    class Failing:
        def recognize(self, samples, **options):
            raise self.error

    def fail(error):
        engine = use_recognition(Failing())
        engine.error = error

    return fail


@pytest.fixture
def queued(clean_redis):
    """A function that returns the ids of the jobs in the named queue."""
    import django_rq

    return lambda name: django_rq.get_queue(name).job_ids
