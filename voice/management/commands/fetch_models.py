"""Fetch speech models from the hub: the configured ones, or the named Piper voices.

manage.py fetch_models
manage.py fetch_models fr_FR-siwis-medium en_US-libritts-high
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from voice.engines import downloads
from voice.engines.downloads import Download

PROGRESS_EVERY_S = 1.0
BAR_EVERY_S = 0.1
BAR_WIDTH = 30

NOT_REACHABLE = (
    "Speech model hub not reachable. Not here: {}. Each worker says which engine it uses for which language."
)


class Command(BaseCommand):
    """manage.py fetch_models"""

    help = "Fetches the configured models and voices that are not here yet, or the voices named."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("voices", nargs="*", help="names of Piper voices, such as fr_FR-siwis-medium")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["voices"]:
            self._fetch_named(options["voices"])
        else:
            self._fetch_configured()

    def _fetch_named(self, names: list[str]) -> None:
        voices = {name: downloads.voice_download(name, settings.VOICE) for name in names}
        if failed := [name for name, download in voices.items() if not self._attempt(download)]:
            raise CommandError(f"Not fetched: {', '.join(failed)}.")

    def _fetch_configured(self) -> None:
        missing = downloads.missing(settings.VOICE)
        if not missing:
            return
        # What follows takes seconds anyway. Imported earlier, these would slow down every start of the demo.
        from voice.engines.hub import check_hub
        from voice.errors import EngineUnavailable

        try:
            check_hub(settings.VOICE["HUB_TIMEOUT_S"])
        except EngineUnavailable:
            self._say(NOT_REACHABLE.format(", ".join(download.name for download in missing)))
            return
        for download in missing:
            self._attempt(download)

    def _attempt(self, download: Download) -> bool:
        """Whether it is here now."""
        from huggingface_hub.errors import HfHubHTTPError

        from voice.errors import EngineUnavailable

        # The error of the HTTP client that this version of the hub's library uses; it is not an OSError.
        transport_error: type[Any] = HfHubHTTPError.__bases__[0]
        self._say(f"Fetching {download.name} ...")
        try:
            download.fetch(self._progress())
        except (EngineUnavailable, transport_error, OSError, ValueError) as error:
            self._say(f"{download.name} could not be fetched: {error}")
            return False
        self._say(f"{download.name} is here.")
        return True

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
