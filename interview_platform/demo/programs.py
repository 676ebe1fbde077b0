"""The programs of the demo and the settings they run with."""

import secrets
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from interview_platform.demo.supervisor import Program

ROOT = Path(__file__).resolve().parents[2]
SPEECH_PROCESSES_NICE = ("stt", "stt-later", "stt-partial", "stt-batch")
AFTER_DRAIN_S = 8.0
"""A web process that was asked to stop has so long after its `DRAIN_S`, then it is killed."""


def settings(var: Path, port: int) -> dict[str, str]:
    """Return the environment that the demo runs with where the caller's does not say otherwise."""
    return {
        "BASE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "SECRET_KEY": secret_key(var / "secret_key"),
        "VAR_DIR": str(var),
        "PYTHONUNBUFFERED": "1",
        # django-unfold 0.91 warns of itself at every start.
        "PYTHONWARNINGS": "ignore:UnfoldAdminCheckboxSelectMultiple is deprecated:UserWarning",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_directory(var)),
        "MALLOC_ARENA_MAX": "2",  # many threads that allocate little: less memory, same speed
    }


def metrics_directory(var: Path) -> Path:
    """Return an empty directory where all processes count, so that any of them can answer /metrics."""
    directory = var / "metrics"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def secret_key(file: Path) -> str:
    """Return the key kept in `file`, made at the first call."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(50))
    return file.read_text()


def programs(listener: socket.socket, env: Mapping[str, str]) -> list[Program]:
    """Return every process of the platform; the two web processes accept from one socket."""
    manage = (sys.executable, str(ROOT / "manage.py"))
    # Where hundreds come back at once, the last of them wait for seconds: as long as their pages do, no less.
    patience = ("--websocket_connect_timeout", "10")
    daphne = (sys.executable, "-m", "interview_platform.server")
    web = (*daphne, "--fd", str(listener.fileno()), "--verbosity", "0", *patience)
    worker = (*manage, "voiceworker")
    return [
        Program(
            "web",
            (*web, "interview_platform.asgi:application"),
            2,
            env,
            (listener.fileno(),),
            grace_s=float(env.get("DRAIN_S", "8")) + AFTER_DRAIN_S,
            tells_ready=True,
        ),
        # On one machine the processor goes first to who speaks, then to storing, which keeps Redis small, and
        # what is left to recognition: a transcript can wait.
        Program("speech", (*worker, *SPEECH_PROCESSES_NICE, "--slots", "2"), env=env, nice=19),
        Program("tts", (*worker, "tts"), env=env),
        # Three of them: the slots of one process wait for each other, and on the core where none of them runs
        # recognition does. With two, 236 recordings of a thousand candidates waited after some minutes. One
        # slot of each serves what runs by the clock.
        Program("default", (*worker, "cron", "default", "--slots", "4"), 3, env=env, nice=10),
        Program(
            "cron", (*manage, "rqcron", "interview_platform.cron", "--logging-level", "WARNING"), env=env
        ),
    ]
