"""Cut a stream of PCM into utterances, each to be transcribed as one. Sans-I/O: bytes in, named events out.

    cutter = UtteranceCutter(vad.stream(), silence_ms=600)
    for event in cutter.feed(pcm):                    # any pieces: the events are the same
        match event:
            case Began(timestamp_s=at): ...
            case Paused(utterance=utterance): ...      # perhaps its end: worth transcribing already
            case Resumed(): ...                        # it was not
            case Ended(utterance=utterance): ...
    cutter.finish()                                   # the stream has ended, and so has its utterance

Transcribing at `Paused` gives the result earlier; the audio of `Ended` is then the same, unless `Resumed`
came between. The cutter buffers one utterance, at most `MAX_UTTERANCE_S`, or `LEAD_S` of silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from voice.audio.pcm import BYTES_A_SECOND, SAMPLE_BYTES, byte_at
from voice.live.turn_detection import (
    BLOCK_BYTES,
    SpeechEnded,
    SpeechProbability,
    SpeechStarted,
    TurnDetector,
    TurnSettings,
)

LEAD_S: Final = 0.3
"""Audio before the first frame of speech: soft beginnings are detected late."""
TAIL_S: Final = 0.2
"""Audio after the last frame of speech, to include soft ends."""
PROBE_MS: Final = 288
"""Silence at which an utterance may be over: nine frames, longer than most gaps between words."""
MIN_SILENCE_MS, MAX_SILENCE_MS = 300, 3000
MAX_UTTERANCE_S: Final = 30.0
"""A recogniser's window. Source: Whisper takes 30 s at once."""
CUT_WITHIN_S: Final = 5.0
"""A longer utterance is cut at the quietest moment of its last seconds."""
LONG_S: Final = 20.0
LONG_SILENCE_MS: Final = 320
"""After so much speech a shorter silence ends an utterance: little is then left at the end of a stream."""
_QUIET_BYTES: Final = BYTES_A_SECOND // 10


@dataclass(frozen=True, slots=True)
class Utterance:
    """Continuous speech of one speaker.

    start_s, end_s: begin and end of the speech, in seconds from the stream's first sample.
    pcm: s16le, mono, 16 000 Hz, with a little audio before and after; it begins at `pcm_start_s`.
    """

    start_s: float
    end_s: float
    pcm_start_s: float
    pcm: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Began:
    """Speech begins."""

    timestamp_s: float


@dataclass(frozen=True, slots=True)
class Paused:
    """A silence of `PROBE_MS` has passed: if that is the end, this is the utterance."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pause was not the end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A silence of `silence_ms` has passed, the utterance grew too long, or the stream has ended."""

    utterance: Utterance


UtteranceEvent = Began | Paused | Resumed | Ended


class UtteranceCutter:
    """Cuts one stream of mono s16le PCM at 16 000 Hz. Calls must not overlap; any thread may make them."""

    def __init__(
        self, speech_probability: SpeechProbability, *, silence_ms: int = 600, start_bytes: int = 0
    ) -> None:
        """
        silence_ms: the silence that ends an utterance, 300..3000.
        start_bytes: where in the stream this begins.
        """
        self._detector = TurnDetector(
            speech_probability,
            TurnSettings(pause_ms=PROBE_MS, question_ms=MAX_SILENCE_MS, end_silence_ms=MAX_SILENCE_MS),
            start_s=start_bytes / BYTES_A_SECOND,
        )
        self.silence_ms = silence_ms
        self._pending = bytearray()
        self._kept = bytearray()  # the last of the processed audio, from byte `_kept_from` on
        self._kept_from = start_bytes
        self._start_s: float | None = None  # of the current utterance
        self._pcm_from = start_bytes  # its first byte, or the end of the one before
        self._paused_s: float | None = None

    @property
    def speech_bytes(self) -> int:
        """The length of the current utterance so far; 0 during silence."""
        is_speech = self._start_s is not None and self._paused_s is None
        return self._position - self._pcm_from if is_speech else 0

    def so_far(self) -> Utterance:
        """Return the current utterance so far."""
        return self._utterance(self._position / BYTES_A_SECOND)

    def feed(self, pcm: bytes | bytearray | memoryview) -> list[UtteranceEvent]:
        """Take the next piece of the stream, of any length; return the events that it completes, in order."""
        self._pending += pcm
        events: list[UtteranceEvent] = []
        while len(self._pending) >= BLOCK_BYTES:
            block = bytes(self._pending[:BLOCK_BYTES])
            del self._pending[:BLOCK_BYTES]
            events += self._feed_block(block)
        return events

    def finish(self) -> list[UtteranceEvent]:
        """End the stream; return the events of the rest, and the end of the current utterance."""
        self._kept += self._pending
        self._detector.feed(self._pending)
        self._pending.clear()
        events = self._translated(self._detector.finish())
        if self._start_s is not None:
            end_s = self._position / BYTES_A_SECOND if self._paused_s is None else self._paused_s
            events.append(self._end(end_s))
        return events

    @property
    def _position(self) -> int:
        return self._kept_from + len(self._kept)

    def _feed_block(self, block: bytes) -> list[UtteranceEvent]:
        self._kept += block
        events = self._translated(self._detector.feed(block))
        is_long = self._is_too_long()
        if self._paused_s is not None and (is_long or self._is_over(self._position / BYTES_A_SECOND)):
            events.append(self._end(self._paused_s))
        elif is_long:
            events += self._cut()
        if self._start_s is None:
            self._forget_until(self._position - int(LEAD_S * BYTES_A_SECOND) - BLOCK_BYTES)
        return events

    def _translated(self, turn_events: list) -> list[UtteranceEvent]:
        events: list[UtteranceEvent] = []
        for event in turn_events:
            match event:
                case SpeechStarted(timestamp_s=at):
                    events += self._speech_started(at)
                case SpeechEnded(timestamp_s=at):
                    self._paused_s = at
                    events.append(Paused(self._utterance(at)))
        return events

    def _speech_started(self, at_s: float) -> list[UtteranceEvent]:
        events: list[UtteranceEvent] = []
        if self._paused_s is not None:
            if not self._is_over(at_s):
                self._paused_s = None
                return [Resumed()]
            events.append(self._end(self._paused_s))
        self._begin(at_s, max(self._pcm_from, byte_at(at_s - LEAD_S)))
        return [*events, Began(at_s)]

    def _is_over(self, now_s: float) -> bool:
        if self._paused_s is None:
            return False
        is_long = self._paused_s - self._pcm_from / BYTES_A_SECOND >= LONG_S
        enough_ms = min(self.silence_ms, LONG_SILENCE_MS) if is_long else self.silence_ms
        return now_s - self._paused_s >= enough_ms / 1000 - 1e-9

    def _is_too_long(self) -> bool:
        return (
            self._start_s is not None and self._position - self._pcm_from >= MAX_UTTERANCE_S * BYTES_A_SECOND
        )

    def _cut(self) -> list[UtteranceEvent]:
        """End the utterance where it is quietest, and begin the next there."""
        at = self._quietest()
        ended = self._end(at / BYTES_A_SECOND, pcm_to=at)
        self._begin(at / BYTES_A_SECOND, at)
        return [ended, Began(at / BYTES_A_SECOND)]

    def _quietest(self) -> int:
        """Return the middle of the quietest 100 ms of the last `CUT_WITHIN_S`."""
        recent = np.frombuffer(bytes(self._kept[-int(CUT_WITHIN_S * BYTES_A_SECOND) :]), "<i2")
        pieces = recent.reshape(-1, _QUIET_BYTES // SAMPLE_BYTES).astype(np.float32)
        quietest = int(np.square(pieces).mean(axis=1).argmin())
        return self._position - recent.nbytes + quietest * _QUIET_BYTES + _QUIET_BYTES // 2

    def _begin(self, at_s: float, pcm_from: int) -> None:
        self._start_s, self._paused_s, self._pcm_from = at_s, None, pcm_from
        self._forget_until(pcm_from)

    def _end(self, at_s: float, *, pcm_to: int | None = None) -> Ended:
        utterance = self._utterance(at_s, pcm_to)
        self._start_s = self._paused_s = None
        self._pcm_from = byte_at(utterance.pcm_start_s) + len(utterance.pcm)
        return Ended(utterance)

    def _utterance(self, end_s: float, pcm_to: int | None = None) -> Utterance:
        assert self._start_s is not None, "only what has begun can be looked at"
        pcm_to = min(byte_at(end_s + TAIL_S), self._position) if pcm_to is None else pcm_to
        pcm = bytes(self._kept[self._pcm_from - self._kept_from : pcm_to - self._kept_from])
        return Utterance(self._start_s, end_s, self._pcm_from / BYTES_A_SECOND, pcm)

    def _forget_until(self, position: int) -> None:
        if position > self._kept_from:
            del self._kept[: position - self._kept_from]
            self._kept_from = position
