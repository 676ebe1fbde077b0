"""The whole system for one run: servers, web processes, workers and stand-in models."""

import contextlib
import os
import resource
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from interview_platform.demo import embedded
from tests import real_models
from tests.stack import Stack
from tests.standins import build_piper_voice, build_whisper
from voice.infra import processor

SENTENCE = "we measured the answer and wrote it down again"
FILES = 65_536


def raise_open_files() -> None:
    """Raise the limit of open files, here and for child processes: each connection is an open file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def go_first() -> None:
    """Give this thread priority over the system it measures, where that is allowed.

    Real candidates have machines of their own. A client that waits for the CPU would count that time as the
    server's latency.
    """
    processor.stand_back(-5)


@contextlib.contextmanager
def own_stack(*, model: str = "tiny", env: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Run everything with its own database and Redis, both durable as in production.

    model: the stand-in Whisper's shape, `tiny` or `micro`; `none` leaves transcription to PocketSphinx;
    `real` is Whisper tiny.en with its weights.
    """
    with contextlib.ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        directory.chmod(0o711)  # as root, PostgreSQL runs as another user
        if "DATABASE_URL" not in os.environ:
            os.environ["DATABASE_URL"] = running.enter_context(embedded.postgresql(directory / "postgresql"))
            running.callback(os.environ.pop, "DATABASE_URL")
        os.environ.setdefault("SECRET_KEY", "load")
        os.environ.setdefault("TOKEN_KEYS", "the-only-key-of-links-in-the-load")
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
    if model == "real":
        return {**settings, "WHISPER_MODEL": str(real_models.FOLDER / "whisper-tiny.en")}
    whisper = build_whisper(directory / "whisper", say=SENTENCE, shape=model)
    return {**settings, "WHISPER_MODEL": str(whisper)}
