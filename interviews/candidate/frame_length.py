"""How much audio the page puts into one frame.

Captions and turns need short frames. Without captions fewer and longer frames cost every process less: at a
thousand candidates on two cores, frames of 1 s instead of 250 ms were acknowledged nine times as soon.
"""

from typing import Final

from voice.capacity import shedding

SHORT_MS: Final = 250
LONG_MS: Final = 1000
SHORT_AFTER_S: Final = 10.0
"""While load is steady, captions come back for seconds at a time (ADR 13): frames do not follow that."""


class FrameLength:
    """The length that one connection's page was told. It grows at once, and shrinks when captions stay."""

    def __init__(self) -> None:
        self.ms = SHORT_MS
        self._captions_since: float | None = None

    def has_changed(self, now_s: float) -> bool:
        """Whether the page has to be told `ms` now. `now_s`: seconds of a monotonic clock."""
        before, self.ms = self.ms, self._wanted_ms(now_s)
        return self.ms != before

    def _wanted_ms(self, now_s: float) -> int:
        if shedding.is_off(shedding.Step.CAPTIONS):
            self._captions_since = None
            return LONG_MS
        if self._captions_since is None:
            self._captions_since = now_s
        return SHORT_MS if now_s - self._captions_since >= SHORT_AFTER_S else self.ms
