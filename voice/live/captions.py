"""Choose the range of a recording to transcribe for the live caption, and join the pieces. Pure.

An utterance is recognised again and again while it grows; at a pause it is recognised once more and then
stands. At most one caption is under way, so a slow recogniser means fewer captions, never a backlog.
"""

from dataclasses import dataclass

from voice.audio.pcm import BYTES_A_SECOND, even_byte

STEP_BYTES = BYTES_A_SECOND
"""A caption is worth its cost after so much new audio."""
LEAD_BYTES = BYTES_A_SECOND * 3 // 10
"""Transcribed before the detected onset: voice activity detects soft beginnings late."""
LONGEST_BYTES = 15 * BYTES_A_SECOND
"""A longer utterance is cut here, so that a caption never costs more than this much audio."""
PATIENCE_BYTES = 5 * BYTES_A_SECOND
"""A caption that has not come back after so much further audio is lost: its worker died, or was too slow."""


@dataclass(frozen=True, slots=True)
class CaptionWanted:
    """Recognise bytes [start, end) of the recording."""

    start: int
    end: int


class CaptionTrack:
    """The captions of one recording, from byte `offset` on."""

    def __init__(self, offset: int) -> None:
        self._standing = ""
        self._start = offset
        self._is_speech = False
        self._ends_at: int | None = None  # the utterance ends there
        self._recognised_to = offset
        self._under_way: CaptionWanted | None = None
        self._asked_at = offset

    def speech_started(self, at: int) -> None:
        """Note that speech begins at byte `at`."""
        if self._ends_at is None and not self._is_speech:
            self._start = max(self._start, even_byte(at - LEAD_BYTES))
            self._recognised_to = self._start
        self._is_speech = True

    def speech_ended(self, at: int) -> None:
        """Note that speech paused at byte `at`."""
        self._is_speech = False
        self._ends_at = even_byte(at)

    def advance_to(self, position: int) -> CaptionWanted | None:
        """Audio up to byte `position` arrived: the caption to request now, if any."""
        if self._under_way is not None and position - self._asked_at <= PATIENCE_BYTES:
            return None
        end = self._end(position)
        is_final = self._ends_at is not None or end - self._start >= LONGEST_BYTES
        if end <= self._start or not (
            is_final or (self._is_speech and end - self._recognised_to >= STEP_BYTES)
        ):
            return None
        self._under_way, self._asked_at = CaptionWanted(self._start, end), position
        return self._under_way

    def _end(self, position: int) -> int:
        end = position if self._ends_at is None else min(self._ends_at, position)
        return even_byte(min(end, self._start + LONGEST_BYTES))

    def refused(self) -> None:
        """The caption last wanted could not be requested."""
        if self._under_way is not None:
            self._recognised_to = self._under_way.end
            self._under_way = None

    def recognised(self, start: int, end: int, text: str) -> str | None:
        """The whole caption after a stretch was recognised; None when it is not the one under way."""
        if self._under_way != CaptionWanted(start, end):
            return None
        self._under_way = None
        self._recognised_to = end
        caption = " ".join(filter(None, [self._standing, text.strip()]))
        is_over = self._ends_at is not None and end >= self._ends_at
        if is_over or end - start >= LONGEST_BYTES:
            self._standing, self._start = caption, end
            if is_over:
                self._ends_at = None
        return caption
