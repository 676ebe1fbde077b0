"""Find the windows of a recording while it grows.

    planner = WindowPlanner(vad.stream())
    planner.feed(samples)            # -> the windows that are complete; nothing that follows can change them
    planner.rest()                   # -> those that are left if the recording ends here
    planner.state()                  # for JSON: WindowPlanner.restored(vad.stream(), state) goes on elsewhere

The windows follow from the samples alone. They are the same however the recording was cut into pieces.
"""

from __future__ import annotations

import base64
import copy
from typing import Any, Final, Protocol, Self

import numpy as np

from voice.engines.vad.silero import FRAME_SAMPLES
from voice.engines.vad.windows import WindowCutter
from voice.types import Probabilities, Samples, Window

RULES: Final = 1
"""Raise it when windows are to lie elsewhere: then no process goes on from a state of the earlier rules."""
_CHUNK_SAMPLES: Final = 64 * FRAME_SAMPLES


class SpeechStream(Protocol):
    """Voice activity of one recording; a copy of it goes on by itself. `memory`: all that it remembers."""

    memory: bytes

    def __call__(self, samples: Samples, /) -> Probabilities: ...


class WindowPlanner:
    """Finds the windows of one recording of mono samples at 16 000 Hz. Not for two threads at once."""

    def __init__(self, stream: SpeechStream, cutter: WindowCutter | None = None) -> None:
        """stream: a fresh one."""
        self._stream = stream
        self._cutter = cutter or WindowCutter()
        self._rest = np.zeros(0, np.float32)  # less than a frame

    @classmethod
    def restored(cls, stream: SpeechStream, state: dict[str, Any]) -> Self | None:
        """Return a planner that goes on where `state` was taken; None if the rules were others then."""
        if state.get("rules") != RULES:
            return None
        stream.memory = base64.b64decode(state["voice_activity"])
        return cls(stream, WindowCutter.restored(state["cutter"]))

    def state(self) -> dict[str, Any]:
        """Return the state after the samples up to `position`, in a form for JSON."""
        memory = base64.b64encode(self._stream.memory).decode()
        return {"rules": RULES, "voice_activity": memory, "cutter": self._cutter.state()}

    @property
    def position(self) -> int:
        """The next sample to feed after the state is restored."""
        return self._cutter.n_frames * FRAME_SAMPLES

    @property
    def needs_from(self) -> int:
        """The first sample that a later window may hold."""
        return self._cutter.needs_from

    def feed(self, samples: Samples) -> list[Window]:
        """Take the next samples, of any number; return the windows that are complete with them."""
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = waiting[whole:]
        return [
            window
            for start in range(0, whole, _CHUNK_SAMPLES)
            for window in self._cutter.feed(self._stream(waiting[start : min(whole, start + _CHUNK_SAMPLES)]))
        ]

    def rest(self) -> list[Window]:
        """Return the windows that are left if the recording ends here; more may be fed afterwards."""
        stream, cutter = copy.copy(self._stream), copy.deepcopy(self._cutter)
        n_samples, closed = self.position + len(self._rest), []
        if len(self._rest):
            last = np.pad(self._rest, (0, FRAME_SAMPLES - len(self._rest)))
            closed = cutter.feed(stream(last))
        left = cutter.open_window(n_samples)
        return [*closed, left] if left else closed

    def is_silent(self) -> bool:
        """Whether nothing is being said: if nothing more is, `rest` stays as it is."""
        return self._cutter.is_complete(self.position)
