"""Detect speech and turns in a stream of PCM. Sans-I/O: bytes in, named events out.

    detector = TurnDetector(vad.stream(), TurnSettings(is_semantic=True))
    for event in detector.feed(pcm):                       # any pieces: the events are the same
        match event:
            case SpeechStarted(timestamp_s=at): ...
            case SpeechEnded(timestamp_s=at): ...          # at `at` a pause began
            case TurnQuestioned(start_s=start, timestamp_s=end):    # has the speaker finished?
                for ended in detector.answer(event, smart_turn.probability(stretch_of(start, end))): ...
            case TurnEnded(timestamp_s=at, reason=reason): ...

A turn is what one speaker says before the other replies. It begins with speech and ends

- with a semantic model: at a silence of 2 s, if the model considers the turn complete;
- else, or when the question is not answered (the model is missing, busy or late): at a silence of 2.5 s.

So people may think aloud: a pause of 1.5 s ends no turn, whatever the model would say of it. After a turn the
detector waits for the next one.

The only model called here is the given `speech_probability`, on the caller's thread. Calls on one detector
must not overlap; they may come from any thread. `feed_together` takes pieces of many streams, because one
call of the model costs less than one for each. An answer counts only during the pause that it is about: a
caller who feeds minutes at once gets the questions after later speech has settled them.

No audio is kept here: a question names the range that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import zip_longest
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from voice.audio.pcm import FULL_SCALE, SAMPLE_BYTES
from voice.engines.base import SILENCE_THRESHOLD, SPEECH_THRESHOLD
from voice.types import RECOGNITION_RATE_HZ, Samples

SAMPLES_PER_FRAME: Final = 512
FRAME_MS: Final = SAMPLES_PER_FRAME * 1000 // RECOGNITION_RATE_HZ

# Eight frames in one call of the model cost half as much as one by one, and a browser sends about that much
# at once. The blocks are cut here, by position in the stream, so that the rounding does not depend on the
# pieces that arrive.
FRAMES_PER_BLOCK: Final = 8
BLOCK_BYTES: Final = FRAMES_PER_BLOCK * SAMPLES_PER_FRAME * SAMPLE_BYTES

# -66 dBFS, the last four bits: below the noise of any microphone that carries speech, so the model need not
# be called. Browsers with noise suppression send such blocks during silence.
SILENT_PEAK: Final = 16

Probabilities = npt.NDArray[np.float32]
SpeechProbability = Callable[[Samples], Probabilities]
"""For the next n * 512 samples of the stream: float32[n], speech probability of each 32 ms; keeps state."""

SpeechProbabilities = Callable[[list[Any], Samples], Probabilities]
"""The same for many streams: for float32[n_streams, n * 512], in their order, float32[n_streams, n]."""


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """Limits at which speech and turns begin and end."""

    is_semantic: bool = False
    """Whether questions are asked: `TurnQuestioned` events appear, to be answered by a semantic model."""
    speech_threshold: float = SPEECH_THRESHOLD
    """Probability from which a frame is speech."""
    silence_threshold: float = SILENCE_THRESHOLD
    """Probability below which it is silence; between the two a frame is like the one before."""
    pause_ms: int = 600
    """Silence that ends speech: most gaps between words are shorter."""
    question_ms: int = 2000
    """Silence that raises the question.

    The model is not asked about shorter pauses, because it takes more than half of those inside a sentence
    for ends (of 111 cuts into 12 recordings of people 55 % after 0.6 s, 59 % after 1.5 s). A pause of 1.5 s,
    common while thinking, is detected as up to 2 s, because it includes the soft ends of the words around it.
    """
    end_silence_ms: int = 2500
    """Silence that ends a turn by itself.

    Candidates think aloud: pauses of 1.5 s are common inside an answer, and being cut off is worse than one
    more second, for which there is a button.
    """
    min_speech_ms: int = 250
    """A turn with less speech than this does not end: coughs and clicks are shorter.
    Source: silero-vad, min_speech_duration_ms.
    """
    complete_threshold: float = 0.5
    """Semantic probability from which a turn is complete. Source: pipecat-ai/smart-turn v3, inference.py."""
    window_s: float = 8.0
    """Longest audio that a question is about. Source: as above."""
    lead_ms: int = 500
    """Audio before the first word that belongs to it. Source: pipecat, SmartTurnParams."""

    def __post_init__(self) -> None:
        if not 0 < self.silence_threshold <= self.speech_threshold <= 1:
            raise ValueError("Thresholds: 0 < silence_threshold <= speech_threshold <= 1.")
        if not FRAME_MS <= self.pause_ms <= self.question_ms <= self.end_silence_ms:
            raise ValueError(f"Silences: {FRAME_MS} ms <= pause_ms <= question_ms <= end_silence_ms.")


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech begins, for the first time or again after a pause. Seconds from the first sample."""

    timestamp_s: float


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """A pause of `pause_ms` has passed; it began at `timestamp_s`."""

    timestamp_s: float


@dataclass(frozen=True, slots=True)
class TurnQuestioned:
    """Has the speaker finished? Ask a semantic model and call `TurnDetector.answer`, or ignore it.

    It is about the range from `start_s` to `timestamp_s`: the turn so far with its pause, at most the last
    `window_s`.
    """

    timestamp_s: float
    start_s: float


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The speaker has finished; detected at `timestamp_s`, after the silence that it took.

    reason: "semantic" (the model said so), "silence" (no speech for `end_silence_ms`), "finished" (the stream
    ended during a turn).
    """

    timestamp_s: float
    reason: Literal["semantic", "silence", "finished"]


TurnEvent = SpeechStarted | SpeechEnded | TurnQuestioned | TurnEnded


class _Phase(Enum):
    WAITING = auto()  # for the first word of a turn
    SPEAKING = auto()  # or silent for less than a pause
    PAUSED = auto()


class TurnDetector:
    """Detects speech and turns in one stream of mono s16le PCM at 16 000 Hz. See the module."""

    def __init__(
        self,
        speech_probability: SpeechProbability,
        settings: TurnSettings | None = None,
        *,
        start_s: float = 0.0,
    ) -> None:
        """start_s: the time of the first sample that will be fed, if the stream is joined later."""
        self.speech_probability = speech_probability
        self._settings = settings or TurnSettings()
        self._start_s = start_s
        self._pending = b""  # less than a block
        self._n_frames = 0
        self._phase = _Phase.WAITING
        self._turn_start_frame = 0
        self._speech_frames = 0  # in this turn
        self._had_speech = False  # in an earlier turn
        self._silent_frames = 0  # since the last frame of speech
        self._question: TurnQuestioned | None = None
        self._has_asked = False  # in this pause

    def feed(self, pcm: bytes | bytearray | memoryview) -> list[TurnEvent]:
        """Take the next piece of the stream, of any length; return the events that it completes, in order."""
        return feed_together([(self, pcm)], _one_by_one)[0]

    @property
    def has_speech(self) -> bool:
        """Whether anything was said so far: `min_speech_ms` of speech without a long silence in it."""
        return self._had_speech or self._has_spoken()

    @property
    def silent_frames(self) -> int | None:
        """How many frames of silence followed the last one of speech in this turn; None between turns."""
        return None if self._phase is _Phase.WAITING else self._silent_frames

    @property
    def n_frames(self) -> int:
        """How many frames were heard."""
        return self._n_frames

    def answer(self, question: TurnQuestioned, probability: float) -> list[TurnEvent]:
        """Take the semantic model's answer, 0 goes on .. 1 finished; late answers change nothing.

        Ends the turn at the question's own timestamp, whenever the answer comes.
        """
        if question is not self._question:
            return []
        self._question = None
        if probability < self._settings.complete_threshold:
            return []
        self._wait()
        return [TurnEnded(question.timestamp_s, "semantic")]

    def finish(self) -> list[TurnEvent]:
        """End the stream; return the events of the rest, and the end of a running turn."""
        whole = len(self._pending) // (SAMPLES_PER_FRAME * SAMPLE_BYTES) * SAMPLES_PER_FRAME * SAMPLE_BYTES
        events = _heard_together([(self, self._pending[:whole])], _one_by_one)[0] if whole else []
        self._pending = b""
        if self._phase is _Phase.SPEAKING:
            events.append(SpeechEnded(self._time_s(self._n_frames - self._silent_frames)))
        if self._phase is not _Phase.WAITING and self._has_spoken():
            events.append(TurnEnded(self._time_s(self._n_frames), "finished"))
        self._wait()
        return events

    def blocks(self, pcm: bytes | bytearray | memoryview) -> list[bytes]:
        """Return the blocks that the next piece of the stream completes; `advance` takes each, in order."""
        waiting = self._pending + pcm
        whole = len(waiting) // BLOCK_BYTES * BLOCK_BYTES
        self._pending = waiting[whole:]
        return [waiting[start : start + BLOCK_BYTES] for start in range(0, whole, BLOCK_BYTES)]

    def advance(self, probabilities: list[float]) -> list[TurnEvent]:
        """Return the events that a block completes, given the speech probability of each of its frames."""
        if self._goes_on(probabilities):
            self._n_frames += len(probabilities)
            return []
        events: list[TurnEvent] = []
        for probability in probabilities:
            self._n_frames += 1
            events += self._frame(probability)
        return events

    def _goes_on(self, probabilities: list[float]) -> bool:
        """Whether nothing changes: still silence, or still speech. Most blocks are like that."""
        if self._phase is _Phase.WAITING:
            return max(probabilities) < self._settings.speech_threshold
        is_speech = self._phase is _Phase.SPEAKING and self._silent_frames == 0
        if is_speech and min(probabilities) >= self._settings.silence_threshold:
            self._speech_frames += len(probabilities)
            return True
        return False

    def _frame(self, probability: float) -> list[TurnEvent]:
        if self._is_speech(probability):
            return self._heard()
        self._silent_frames += 1
        silent_ms = self._silent_frames * FRAME_MS
        events: list[TurnEvent] = []
        if self._phase is _Phase.SPEAKING and silent_ms >= self._settings.pause_ms:
            self._phase = _Phase.PAUSED
            events.append(SpeechEnded(self._time_s(self._n_frames - self._silent_frames)))
        if self._phase is _Phase.PAUSED and silent_ms >= self._settings.question_ms:
            events += self._ask()
        if self._phase is _Phase.PAUSED and silent_ms >= self._settings.end_silence_ms:
            if self._has_spoken():
                events.append(TurnEnded(self._time_s(self._n_frames), "silence"))
            self._wait()  # by now a cough is forgotten, too
        return events

    def _is_speech(self, probability: float) -> bool:
        if self._phase is _Phase.SPEAKING and self._silent_frames == 0:
            return probability >= self._settings.silence_threshold
        return probability >= self._settings.speech_threshold

    def _heard(self) -> list[TurnEvent]:
        before, self._phase = self._phase, _Phase.SPEAKING
        self._speech_frames += 1
        self._silent_frames = 0
        self._question, self._has_asked = None, False  # settled: the speaker went on
        if before is _Phase.SPEAKING:
            return []
        if before is _Phase.WAITING:
            self._turn_start_frame = self._n_frames - 1
        return [SpeechStarted(self._time_s(self._n_frames - 1))]

    def _ask(self) -> list[TurnEvent]:
        """Return the question of this pause, once."""
        if self._has_asked or not (self._settings.is_semantic and self._has_spoken()):
            return []
        self._has_asked = True
        self._question = TurnQuestioned(self._time_s(self._n_frames), self._time_s(self._first_asked_about()))
        return [self._question]

    def _wait(self) -> None:
        self._had_speech = self.has_speech
        self._phase = _Phase.WAITING
        self._speech_frames = 0
        self._question = None

    def _has_spoken(self) -> bool:
        return self._speech_frames * FRAME_MS >= self._settings.min_speech_ms

    def _time_s(self, frame: int) -> float:
        return self._start_s + frame * SAMPLES_PER_FRAME / RECOGNITION_RATE_HZ

    def _first_asked_about(self) -> int:
        """Return the frame just before the first word, or the first of the last `window_s`."""
        lead_frames = self._settings.lead_ms // FRAME_MS
        window_frames = int(1000 * self._settings.window_s) // FRAME_MS
        return max(0, self._turn_start_frame - lead_frames, self._n_frames - window_frames)


def feed_together(
    pieces: Sequence[tuple[TurnDetector, bytes | bytearray | memoryview]],
    speech_probabilities: SpeechProbabilities,
) -> list[list[TurnEvent]]:
    """Feed each detector its piece; return the events of each, as `TurnDetector.feed` would.

    pieces: of any length, one a detector.
    """
    queues = [detector.blocks(pcm) for detector, pcm in pieces]
    events: list[list[TurnEvent]] = [[] for _ in pieces]
    for blocks in zip_longest(*queues):
        due = [index for index, block in enumerate(blocks) if block is not None]
        taken = _heard_together([(pieces[index][0], blocks[index]) for index in due], speech_probabilities)
        for index, completed in zip(due, taken, strict=True):
            events[index] += completed
    return events


def _heard_together(
    blocks: list[tuple[TurnDetector, bytes]], speech_probabilities: SpeechProbabilities
) -> list[list[TurnEvent]]:
    """Feed blocks of equal length, one a detector, to the model together, except silent blocks."""
    integers = np.frombuffer(b"".join(block for _, block in blocks), "<i2").reshape(len(blocks), -1)
    heard = (integers.max(axis=1) >= SILENT_PEAK) | (integers.min(axis=1) <= -SILENT_PEAK)
    probabilities = np.zeros((len(blocks), integers.shape[1] // SAMPLES_PER_FRAME), np.float32)
    if heard.any():
        streams = [blocks[index][0].speech_probability for index in heard.nonzero()[0]]
        probabilities[heard] = speech_probabilities(streams, integers[heard] / np.float32(FULL_SCALE))
    return [detector.advance(row) for (detector, _), row in zip(blocks, probabilities.tolist(), strict=True)]


def _one_by_one(streams: list[SpeechProbability], samples: Samples) -> Probabilities:
    return np.stack([stream(row) for stream, row in zip(streams, samples, strict=True)])
