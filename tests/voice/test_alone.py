"""The speech service in a bare Django project: nothing else of this repository is there."""

import json
import os
import subprocess
import sys
import textwrap
import wave
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from tests.conftest import ROOT, STANDIN_SENTENCE
from tests.speech import spoken
from voice.audio.pcm import s16le_from_samples
from voice.types import RECOGNITION_RATE_HZ

SETTINGS = """
    import os

    SECRET_KEY = "alone"
    ALLOWED_HOSTS = ["testserver"]
    ROOT_URLCONF = "addresses"
    INSTALLED_APPS = [
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django.contrib.staticfiles", "voice",
    ]
    MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
    STATIC_URL = "/static/"
    DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["DATABASE"]}}
    DATABASES["default"] |= dict(zip(["HOST", "PORT", "USER", "PASSWORD"], os.environ["SERVER"].split()))
    REDIS_URL = os.environ["REDIS_URL"]
    VOICE = {
        "IS_PUBLIC": True, "STT_ENGINES": ["faster_whisper"], "WHISPER_MODEL": os.environ["WHISPER_MODEL"],
        "TTS_ENGINES": ["espeak"],
    }
"""
ADDRESSES = """
    from django.urls import include, path
    from ninja import NinjaAPI

    from voice.callers import Caller
    from voice.web.api import router

    api = NinjaAPI(urls_namespace="ours", auth=lambda request: Caller("1", "", "anybody"))
    api.add_router("", router)
    urlpatterns = [path("voice/", include("voice.urls")), path("api/", api.urls)]
"""
PROGRAM = """
    import asyncio
    import json
    import sys
    from pathlib import Path

    import django

    django.setup()

    import django_rq
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from voice.management.commands.voiceworker import services_for, with_calls
    from voice.callers import Caller
    from voice.service import transcription
    from voice.service.requests import TranscriptionRequest
    from voice.speech import rendering
    from voice.workers.worker import VoiceWorker


    async def transcribe(file):
        wanted, caller = TranscriptionRequest.checked(language="en"), Caller("program", "", "")
        async with transcription.transcribe(wanted, file, caller) as call:
            return await call.complete()


    call_command("migrate", verbosity=0)
    queues = with_calls(["stt"])
    worker = VoiceWorker(queues, connection=django_rq.get_connection("stt"), services=services_for(queues))
    worker.start()
    heard = asyncio.run(transcribe(Path("answer.wav").read_bytes()))
    assert worker.stop()
    page, voices = Client().get(reverse("voice:playground")), Client().get("/api/voices")
    others = {"interview_platform", "interviews", "accounts"}
    print(json.dumps({
        "text": heard["text"],
        "playground": page.status_code,
        "sample_url": voices.json()[0]["sample_url"],
        "speech_url": rendering.url("0" * 64),
        "others": sorted(others & {name.partition(".")[0] for name in sys.modules}),
    }))
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The folder of a project that is not ours, with `voice` beside its own modules."""
    for name, source in {"bare": SETTINGS, "addresses": ADDRESSES, "program": PROGRAM}.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
    (tmp_path / "voice").symlink_to(ROOT / "voice")
    with wave.open(str(tmp_path / "answer.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RECOGNITION_RATE_HZ)
        file.writeframes(s16le_from_samples(spoken("I led a team of five.")))
    return tmp_path


@pytest.fixture
def database():
    """The name of an empty database on the tests' server."""
    name = sql.Identifier(f"alone_{uuid4().hex[:8]}")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield name.as_string().strip('"')
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_voice_serves_a_bare_project(project, database, clean_redis, whisper_model):
    server = connection.settings_dict
    env = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "bare",
        "DATABASE": database,
        "SERVER": " ".join(str(server[key]) for key in ("HOST", "PORT", "USER", "PASSWORD")),
        "REDIS_URL": os.environ["REDIS_URL"],
        "WHISPER_MODEL": str(whisper_model),
        "HF_HUB_OFFLINE": "1",
    }

    run = subprocess.run(
        [sys.executable, "program.py"],
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1]) == {
        "text": STANDIN_SENTENCE,
        "playground": 200,
        "sample_url": "/api/voices/espeak:en-us/sample",
        "speech_url": f"/voice/speech/{'0' * 64}.flac",
        "others": [],
    }
