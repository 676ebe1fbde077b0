"""PostgreSQL and Redis for every test, and fixtures that several folders use.

Both servers run before Django's settings are read, so Django is set up here: if pyproject.toml named the
settings, pytest-django would read them before this file. If DATABASE_URL or REDIS_URL is set, that server is
used instead, and the tests empty that Redis database.
"""

import atexit
import contextlib
import inspect
import os
import shutil
import tempfile
from pathlib import Path

import django
import pytest

from interview_platform.demo import embedded

ROOT = Path(__file__).resolve().parent.parent
STANDIN_SENTENCE = "we measured the answer and wrote it down again"  # the stand-in Whisper's transcript
_servers = contextlib.ExitStack()


def _start_servers() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="interviews-"))
    directory.chmod(0o711)  # as root, PostgreSQL runs as another user
    _servers.callback(shutil.rmtree, directory, ignore_errors=True)
    if "DATABASE_URL" not in os.environ:
        url = _servers.enter_context(embedded.postgresql(directory / "postgresql", is_durable=False))
        os.environ["DATABASE_URL"] = url
    if "REDIS_URL" not in os.environ:
        os.environ["REDIS_URL"] = _servers.enter_context(
            embedded.redis(directory / "redis", append_only=False)
        )
    return directory


def _set_environment(directory: Path) -> None:
    (directory / "var" / "static").mkdir(parents=True)  # whitenoise warns if it is missing
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "interview_platform.settings",
        "SECRET_KEY": "tests",
        "VAR_DIR": str(directory / "var"),
        # The default needs a manifest of collected files.
        "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
        "HF_HUB_OFFLINE": "1",  # tests download nothing
        "LOG_LEVEL": "WARNING",
    }


atexit.register(_servers.close)
RUN_DIRECTORY = _start_servers()
_set_environment(RUN_DIRECTORY)
django.setup()  # conftest.py files below this one may import models


@pytest.fixture
def clean_redis():
    """The emptied Redis of REDIS_URL."""
    import redis

    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()
        yield client


@pytest.fixture(autouse=True)
def closed_connections(request):
    """Close Redis connections after each async test, which has an event loop of its own."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("redis_of_this_loop")


@pytest.fixture
async def redis_of_this_loop():
    from voice.infra import redis_clients

    yield
    await redis_clients.close_async_clients()


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
def stack(run_directory, whisper_model, piper_voices):
    """The running system: web processes, workers, cron (tests/stack.py)."""
    from tests.stack import Stack

    models = {"WHISPER_MODEL": str(whisper_model), "PIPER_VOICES_DIR": str(piper_voices)}
    env = {**models, "DRAIN_S": "2"}
    with Stack(run_directory / "stack", env=env) as running:
        running.wait_ready()
        yield running


@pytest.fixture
def use_recognition(monkeypatch):
    """Make jobs of this process transcribe with the given object."""
    from voice.inference import recognizer

    def use(engine):
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
