"""Somebody who loads a page again and again, and so sees how long it was away."""

import re
import ssl
import threading
import time
import urllib.request
from pathlib import Path
from typing import Self

WAIT_S = 1.0
"""Between two looks. Each is two requests: the link leads to the room. The edge allows two a second."""
PATIENCE_S = 5


class Visitor:
    """Loads a page through the edge again and again, in a thread, from `with` to its end."""

    def __init__(self, link: str, certificate: Path) -> None:
        self._link = link
        self._trust = ssl.create_default_context(cafile=str(certificate))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit, name="visitor")
        self.seen_at: list[float] = []
        self.problems: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def away_s(self) -> float:
        """The longest time without the page."""
        gaps = (later - sooner for sooner, later in zip(self.seen_at, self.seen_at[1:], strict=False))
        return max(max(gaps, default=0.0) - WAIT_S, 0.0)

    def _visit(self) -> None:
        while not self._stop.wait(WAIT_S):
            try:
                with urllib.request.urlopen(self._link, timeout=PATIENCE_S, context=self._trust):
                    self.seen_at.append(time.monotonic())
            except OSError as error:
                self.problems.append(re.sub(r"\s+", " ", str(error)))
