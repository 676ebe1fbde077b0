"""Sources of models that were tried in vain at an earlier start and took long: each is left alone for a day.

misses = Misses(models_dir)
if not misses.is_recent(key):
    with misses.noted(key):
        fetch()
"""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from voice.errors import EngineUnavailable

FILE_NAME: Final = "not-had.json"
AGAIN_AFTER_S: Final = 24 * 3600
LONG_S: Final = 2.0
"""A failure that takes less is not remembered: the source may be tried at each start."""


class Misses:
    """What is remembered below MODELS_DIR; nothing where that cannot be written."""

    def __init__(self, models_dir: Path) -> None:
        self._path = models_dir / FILE_NAME
        self._earlier = self._read()

    def is_recent(self, key: str) -> bool:
        """Whether the source was tried in vain less than a day ago, before this object was made."""
        return time.time() - self._earlier.get(key, 0.0) < AGAIN_AFTER_S

    @contextlib.contextmanager
    def noted(self, key: str) -> Iterator[None]:
        """Remember it if the block raises EngineUnavailable after a long time; forget it if it does not."""
        began = time.monotonic()
        try:
            yield
        except EngineUnavailable:
            if time.monotonic() - began >= LONG_S:
                self._write(self._read() | {key: time.time()})
            raise
        if key in (misses := self._read()):
            del misses[key]
            self._write(misses)

    def _read(self) -> dict[str, float]:
        try:
            return {key: float(at) for key, at in json.loads(self._path.read_text(encoding="utf-8")).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, misses: dict[str, float]) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(misses, indent=1) + "\n", encoding="utf-8")
