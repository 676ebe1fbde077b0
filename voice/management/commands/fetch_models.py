"""Fetch speech models from the hub: the configured ones, or the named Piper voices.

manage.py fetch_models
manage.py fetch_models fr_FR-siwis-medium en_US-libritts-high
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

WHISPER_FILES = ("config.json", "model.bin", "tokenizer.json")
WHISPER_PATTERNS = [*WHISPER_FILES, "preprocessor_config.json", "vocabulary.*"]
# The sizes that are not Systran's, or not under their own name. Source: faster_whisper.utils, 1.2.1.
WHISPER_REPOSITORIES = {
    "large": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}
PROGRESS_EVERY_S = 1.0
BAR_EVERY_S = 0.1
BAR_WIDTH = 30

NOT_REACHABLE = (
    "Speech model hub not reachable: "
    "recognition falls back to PocketSphinx (English only), voices to espeak-ng."
)


class Command(BaseCommand):
    """manage.py fetch_models"""

    help = "Fetches the configured Whisper model and Piper voices that are not here yet, or the voices named."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("voices", nargs="*", help="names of Piper voices, such as fr_FR-siwis-medium")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["voices"]:
            self._fetch_named(options["voices"])
        else:
            self._fetch_configured()

    def _fetch_named(self, names: list[str]) -> None:
        failed = [
            name
            for name in names
            if not self._attempt(f"Piper voice {name}", partial(self._fetch_voice, name))
        ]
        if failed:
            raise CommandError(f"Not fetched: {', '.join(failed)}.")

    def _fetch_configured(self) -> None:
        has_whisper = "faster_whisper" not in settings.VOICE["STT_ENGINES"] or has_whisper_model()
        voices = missing_voices() if "piper" in settings.VOICE["TTS_ENGINES"] else []
        if has_whisper and not voices:
            return
        # What follows takes seconds anyway. Imported earlier, these would slow down every start of the demo.
        from voice.engines.hub import check_hub
        from voice.errors import EngineUnavailable

        try:
            check_hub(settings.VOICE["HUB_TIMEOUT_S"])
        except EngineUnavailable:
            self._say(NOT_REACHABLE)
            return
        if not has_whisper:
            self._attempt(f"Whisper {settings.VOICE['WHISPER_MODEL']}", self._fetch_whisper)
        for name in voices:
            self._attempt(f"Piper voice {name}", partial(self._fetch_voice, name))

    def _attempt(self, what: str, fetch: Callable[[], None]) -> bool:
        """Return whether the files are here now."""
        from huggingface_hub.errors import HfHubHTTPError

        from voice.errors import EngineUnavailable

        # The error of the HTTP client that this version of the hub's library uses; it is not an OSError.
        transport_error: type[Any] = HfHubHTTPError.__bases__[0]
        self._say(f"Fetching {what} ...")
        try:
            fetch()
        except (EngineUnavailable, transport_error, OSError, ValueError) as error:
            self._say(f"{what} could not be fetched: {error}")
            return False
        self._say(f"{what} is here.")
        return True

    def _fetch_whisper(self) -> None:
        from huggingface_hub import snapshot_download

        snapshot_download(  # shows its own progress
            whisper_repository(settings.VOICE["WHISPER_MODEL"]),
            cache_dir=settings.VOICE["MODELS_DIR"],
            allow_patterns=WHISPER_PATTERNS,
            etag_timeout=settings.VOICE["HUB_TIMEOUT_S"],
        )

    def _fetch_voice(self, name: str) -> None:
        from voice.engines.tts.piper import fetch_voice

        fetch_voice(
            name,
            Path(settings.VOICE["PIPER_VOICES_DIR"]),
            timeout_s=settings.VOICE["HUB_TIMEOUT_S"],
            progress=self._progress(),
        )

    def _progress(self) -> Callable[[int, int | None], None]:
        return ProgressBar(self._draw) if self.stdout.isatty() else Progress(self._say)

    def _draw(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


class Progress:
    """Prints at intervals how far a transfer is."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._next_at = time.monotonic() + PROGRESS_EVERY_S

    def __call__(self, done_bytes: int, size_bytes: int | None) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + PROGRESS_EVERY_S
            share = f" ({100 * done_bytes // size_bytes} %)" if size_bytes else ""
            self._say(f"  {done_bytes / 1e6:.1f} MB{share}")


class ProgressBar:
    """Redraws the progress of a transfer in one line of a terminal; the last call ends the line."""

    def __init__(self, draw: Callable[[str], None]) -> None:
        self._draw = draw
        self._next_at = 0.0

    def __call__(self, done_bytes: int, size_bytes: int | None) -> None:
        is_complete = done_bytes == size_bytes
        if is_complete or time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + BAR_EVERY_S
            ending = "\n" if is_complete else ""
            self._draw(f"\r{_bar(done_bytes, size_bytes)}{ending}")


def _bar(done_bytes: int, size_bytes: int | None) -> str:
    if not size_bytes:
        return f"  {done_bytes / 1e6:.1f} MB"
    share = done_bytes / size_bytes
    drawn = "#" * int(share * BAR_WIDTH)
    return f"  [{drawn:<{BAR_WIDTH}}] {share:4.0%}  {done_bytes / 1e6:.1f} of {size_bytes / 1e6:.1f} MB"


def whisper_repository(model: str) -> str:
    """Return the hub's repository for a size ("base") or a repository ("Systran/faster-whisper-base")."""
    if "/" in model:
        return model
    if model.startswith("distil-"):
        name = f"faster-distil-whisper-{model.removeprefix('distil-')}"
    else:
        name = f"faster-whisper-{model}"
    return WHISPER_REPOSITORIES.get(model, f"Systran/{name}")


def has_whisper_model() -> bool:
    """Whether the model is off, its own directory, or in the cache of the hub's library."""
    model = settings.VOICE["WHISPER_MODEL"]
    if not model or Path(model).expanduser().is_dir() or model.startswith((".", "/", "~")):
        return True
    folder = Path(settings.VOICE["MODELS_DIR"]) / f"models--{whisper_repository(model).replace('/', '--')}"
    main = folder / "refs" / "main"
    if not main.is_file():
        return False
    snapshot = folder / "snapshots" / main.read_text().strip()
    return all((snapshot / name).is_file() for name in WHISPER_FILES)


def missing_voices() -> list[str]:
    """Return the configured Piper voices with a missing file."""
    directory = Path(settings.VOICE["PIPER_VOICES_DIR"])
    files = ("{}.onnx", "{}.onnx.json")
    names = settings.VOICE["PIPER_VOICES"]
    return [name for name in names if not all((directory / file.format(name)).is_file() for file in files)]
