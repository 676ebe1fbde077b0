"""How much sound Whisper's encoder is shown for a window: what was said and some silence, not always 30 s.

Whisper was trained on 30 s, of which a short window fills a part. The encoder costs what it is shown, so it
is shown less where a model hears as well with less. Which context is enough was measured, and is measured
again by `tests/benchmarks/test_encoder_context.py`; docs/performance.md shows the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

FRAMES_A_SECOND: Final = 100
WINDOW_FRAMES: Final = 3000
"""The 30 s of Whisper's training."""
STEP_FRAMES: Final = 16
"""The encoder's matrices are fastest where a context is a multiple of this."""


@dataclass(frozen=True, slots=True)
class ContextRule:
    """How a context follows from the length of a window.

    steps_s: the contexts there are. They are few, because only windows of one context are decoded together.
    margin_s: the silence after the window that the decoder needs to find the end.
    caption_s, caption_margin_s: the same for captions, which are replaced soon.
    """

    steps_s: tuple[float, ...]
    margin_s: float
    caption_steps_s: tuple[float, ...]
    caption_margin_s: float

    def context(self, n_frames: int, *, is_partial: bool) -> int:
        """Return the frames of 10 ms to show of a window that has `n_frames`; 3000 where no step suffices."""
        steps_s = self.caption_steps_s if is_partial else self.steps_s
        margin_s = self.caption_margin_s if is_partial else self.margin_s
        needed = n_frames + margin_s * FRAMES_A_SECOND
        return next((context for step_s in steps_s if (context := _frames(step_s)) >= needed), WINDOW_FRAMES)


def _frames(seconds: float) -> int:
    return ceil(seconds * FRAMES_A_SECOND / STEP_FRAMES) * STEP_FRAMES


_STEPS_S: Final = (10.0, 12.5, 15.0, 17.5, 20.0, 22.5, 25.0, 27.5)
# By the width of the encoder, which tells Whisper's sizes apart whatever a model is called.
RULES: Final = {
    384: ContextRule(_STEPS_S, 2.0, (8.0, *_STEPS_S), 1.5),  # tiny
    512: ContextRule(_STEPS_S, 2.0, (8.0, *_STEPS_S), 1.5),  # base
}
# Whose weights could not be had for measuring get half as much again.
UNMEASURED: Final = ContextRule((15.0, 20.0, 25.0), 3.0, (15.0, 20.0, 25.0), 3.0)


def rule_for(width: int) -> ContextRule:
    """Return the rule of the model whose encoder gives so many numbers for each 20 ms."""
    return RULES.get(width, UNMEASURED)
