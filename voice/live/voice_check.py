"""Whether anything was said in a stream: silence is no answer. For one event loop."""

import asyncio
import contextlib

from voice.live.turn_detection import TurnDetector

CATCH_UP_WITHIN_S = 2.0


class VoiceCheck:
    """Follows the detectors of one stream, and remembers whether all of it was heard.

    A stream is not heard as a whole if it was joined late, if a burst was skipped under load, or if its
    detector failed. Then nobody may say that it was silent.
    """

    def __init__(self, *, has_missed: bool) -> None:
        """has_missed: the stream began before this."""
        self._has_missed = has_missed
        self._had_speech = False
        self._detector: TurnDetector | None = None
        self._has_all = asyncio.Event()  # what came is heard; also set when that will never be
        self._has_all.set()

    @property
    def has_speech(self) -> bool | None:
        """Whether a voice was heard so far; None if none was, but not everything has been heard."""
        if self._had_speech or (self._detector is not None and self._detector.has_speech):
            return True
        return None if self._has_missed or not self._has_all.is_set() else False

    async def has_speech_by_now(self) -> bool | None:
        """The same, once everything that came has been heard, as far as that takes less than two seconds."""
        if self.has_speech is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._has_all.wait(), CATCH_UP_WITHIN_S)
        return self.has_speech

    def follow(self, detector: TurnDetector) -> None:
        """This detector hears what comes next."""
        self._detector = detector

    def expect(self) -> None:
        """More came than has been heard."""
        self._has_all.clear()

    def caught_up(self) -> None:
        """Everything that came has been heard, but for less than a block."""
        self._has_all.set()

    def miss(self) -> None:
        """A part of the stream will not be heard."""
        self._had_speech = self.has_speech is True
        self._detector = None
        self._has_missed = True
        self._has_all.set()
