"""The whole system for a run of its own: servers, web processes, workers and stand-in models."""

import contextlib
import os
import resource
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from interview_platform.demo import embedded
from interview_platform.demo.processes import set_session_nice
from tests.stack import Stack
from tests.standins import build_piper_voice, build_whisper

SENTENCE = "we measured the answer and wrote it down again"
FILES = 65_536


def raise_open_files() -> None:
    """A connection is an open file, here and in every process that is started from here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def go_first() -> None:
    """Let this thread run before what it measures, where that is allowed.

    Candidates have machines of their own. One that has to wait for the server's processor would take that for
    the server's answer.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -5)
    set_session_nice(-5)


@contextlib.contextmanager
def own_stack(*, model: str = "tiny", env: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Run everything with a database and a Redis of its own, that keep what they are given as in production.

    model: the stand-in Whisper's shape, `tiny` or `micro`; `none` leaves recognition to PocketSphinx.
    """
    with contextlib.ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        directory.chmod(0o711)  # as root, PostgreSQL runs as another user
        if "DATABASE_URL" not in os.environ:
            os.environ["DATABASE_URL"] = running.enter_context(embedded.postgresql(directory / "postgresql"))
            running.callback(os.environ.pop, "DATABASE_URL")
        os.environ.setdefault("SECRET_KEY", "load")
        settings = {**_models(directory, model), "LOG_LEVEL": "WARNING", **(env or {})}
        stack = running.enter_context(Stack(directory / "stack", env=settings))
        stack.wait_ready()
        yield stack


def _models(directory: Path, model: str) -> dict[str, str]:
    voices = directory / "voices"
    build_piper_voice(voices)
    settings = {"PIPER_VOICES_DIR": str(voices)}
    if model == "none":
        return {**settings, "STT_ENGINES": "pocketsphinx"}
    whisper = build_whisper(directory / "whisper", say=SENTENCE, shape=model)
    return {**settings, "WHISPER_MODEL": str(whisper)}
