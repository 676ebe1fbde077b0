"""The programs of the demo and the settings they run with."""

import secrets
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from interview_platform.demo.supervisor import Program

ROOT = Path(__file__).resolve().parents[2]
SPEECH_QUEUES = (
    *("stt", "stt-ahead", "stt-later", "stt-partial"),
    *("stt-call", "stt-call-partial", "stt-batch"),
)
PLATFORM_QUEUES = ("cron", "brain", "default", "brain-later", "webhooks")
CRON_OPTIONS = ("--logging-level", "WARNING")
AFTER_DRAIN_S = 8.0
"""Time for a stopping web process after its `DRAIN_S`; then it is killed."""


def settings(var: Path, port: int) -> dict[str, str]:
    """Return the demo's environment, for variables that the caller's environment does not set."""
    return {
        "BASE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "SECRET_KEY": secret_key(var / "secret_key"),
        "TOKEN_KEYS": secret_key(var / "token_keys"),
        "AUDIT_KEYS": secret_key(var / "audit_keys"),
        "VAR_DIR": str(var),
        "EMAIL_URL": f"filemail:///{private_directory(var / 'mail')}",
        "PYTHONUNBUFFERED": "1",
        # django-unfold 0.91 raises this warning at every start.
        "PYTHONWARNINGS": "ignore:UnfoldAdminCheckboxSelectMultiple is deprecated:UserWarning",
        "METRICS_NETWORKS": "127.0.0.0/8",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_directory(var)),
        "MALLOC_ARENA_MAX": "2",  # less memory at the same speed, as the threads allocate little
    }


def private_directory(directory: Path) -> Path:
    """Return the directory, which only this user can read. Mails hold links."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def metrics_directory(var: Path) -> Path:
    """Return an empty directory for the counts of all processes, so that any of them can serve /metrics."""
    directory = var / "metrics"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def secret_key(file: Path) -> str:
    """Return the key in `file`; the first call makes it."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(50))
    return file.read_text()


def programs(listener: socket.socket, env: Mapping[str, str]) -> list[Program]:
    """Return every process of the platform. The two web processes share one socket."""
    manage = (sys.executable, str(ROOT / "manage.py"))
    # When hundreds of clients reconnect at once, the last ones wait for seconds, up to their own time limit.
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
        # On one machine the CPU is shared in this order: web and synthesis, then storage, which keeps Redis
        # small, then transcription, which can wait, but not for ever: with 19 a recording of 3 s took minutes
        # beside four busy programs.
        Program("speech", (*worker, *SPEECH_QUEUES, "--nice", "14"), env=env),
        Program("tts", (*worker, "tts", "tts-call"), env=env),
        # A process of its own: a conversion takes seconds of CPU, and a crafted file may end it.
        Program("audio", (*worker, "audio", "--slots", "1", "--nice", "14"), env=env),
        # Three processes: the slots of one process block each other, and transcription uses a core where none
        # of them runs. With two, 236 recordings of a thousand candidates waited after some minutes. One slot
        # of each serves the periodic jobs, and one what the language model drafts.
        Program("default", (*worker, *PLATFORM_QUEUES, "--slots", "3", "--nice", "5"), 3, env=env),
        Program("cron", (*manage, "rqcron", "interview_platform.cron", *CRON_OPTIONS), env=env),
    ]
