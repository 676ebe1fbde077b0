"""The protocols of recognition and synthesis engines.

An engine is created cheaply, loaded once (`load()`), then called from several threads at once.

    engine = FasterWhisper("base", slots=2)
    engine.load()                                     # EngineUnavailable says what to do
    recognition = engine.recognize(samples, language="en")
    recognition.text, recognition.confidence, recognition.words

Audio is always `float32[n_samples]`, mono, -1..1. Recognition takes 16 000 Hz; a synthesised chunk names its
rate. Languages are BCP 47 tags in any usual spelling ("de", "de-DE", "de_DE"); `primary_language` reduces
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from voice.errors import LanguageUnsupported, SynthesisFailed
from voice.text.languages import canonical_tag, primary_language
from voice.types import Recognition, Samples, Segment, SpeakerTurn, SpeechChunk, Voice

SPEECH_THRESHOLD: Final = 0.5
"""A frame is speech from this probability on. Source: snakers4/silero-vad, get_speech_timestamps."""
SILENCE_THRESHOLD: Final = 0.35
"""Below this a frame is silence; between the two it is like the frame before. Source: as above, 0.15 less."""


MIN_VOICE_SPEED, MAX_VOICE_SPEED = 0.5, 2.0
"""Of an engine's own voices, which are not intelligible outside this range."""


@runtime_checkable
class Engine(Protocol):
    """The part that engines of both directions share."""

    name: str
    model: str
    device: str

    @property
    def notice(self) -> str:
        """A note for the operator about an engine that serves, such as "smaller model"; else ""."""

    @property
    def is_stuck(self) -> bool:
        """Whether a call of its model hangs. Nothing but the end of the process ends such a call."""

    def load(self) -> None:
        """Make ready; further calls return at once. A voice may be loaded later, when it is first used.

        Raises:
            EngineUnavailable: a model, a library or the device is missing; the message says what to do.
        """


class SteadyEngine:
    """An engine that never hangs and has no notice; it neither translates nor takes windows. Most are so."""

    notice: str = ""
    is_stuck: bool = False
    translates: bool = False
    takes_windows: bool = False


@runtime_checkable
class RecognitionEngine(Engine, Protocol):
    """Speech to text. All methods may be called from several threads at once.

    An engine whose `translates` is true also takes `is_translated=True` in `recognize`: then the text is in
    English, whatever language was spoken.

    An engine whose `takes_windows` is true also takes `windows=` in `recognize`: what to recognise of the
    samples (`voice.types.Window`), instead of looking for speech. It then calls `on_segments` once a window.
    """

    @property
    def translates(self) -> bool: ...

    @property
    def takes_windows(self) -> bool: ...

    def supports(self, language: str | None) -> bool:
        """Whether `recognize` accepts this language; None asks whether the engine detects it itself."""

    def recognize(
        self,
        samples: Samples,
        *,
        language: str | None,
        hot_words: str | None = None,
        is_partial: bool = False,
        on_segments: Callable[[tuple[Segment, ...]], None] | None = None,
    ) -> Recognition:
        """Transcribe `samples` (float32[n_samples], mono, 16 000 Hz).

        language: None detects it, if the engine can.
        hot_words: names and terms that are likely to occur; an engine may ignore them.
        is_partial: a caption that will be replaced soon: faster, without word times.
        on_segments: called with segments as soon as they are final, and with none after a stretch without
        any, so that a caller who has left can end the work by raising. An engine that knows nothing before
        the end may never call it.

        Raises:
            AudioRejected: not one-dimensional, not finite or far out of range.
            LanguageUnsupported: see `supports`.
            EngineUnavailable: the model is not loaded and cannot be, or the device failed.
        """


@runtime_checkable
class SynthesisEngine(Engine, Protocol):
    """Text to speech. All methods may be called from several threads at once."""

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices that can be chosen; empty when the engine is unavailable."""

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Iterator[SpeechChunk]:
        """Synthesise `text`, one chunk a sentence, each computed when the iterator reaches it.

        voice: an id of `voices()`; None, or an id of another engine, picks a voice for `language`.
        speed: 1.0 is the voice's own pace, 2.0 twice as fast; 0.5..2.0.
        emotion: a word such as "cheerful"; an engine may ignore it.

        Raises (at the call or while iterating):
            LanguageUnsupported: no voice for this language.
            EngineUnavailable: no voice at all.
            VoiceUnavailable: the chosen voice cannot be loaded.
            SynthesisFailed: nothing to say, or the model failed on this text.
        """


Probabilities = npt.NDArray[np.float32]


class VoiceActivityDetector(Protocol):
    """Tells speech from everything else, for all streams of a process."""

    def load(self) -> None:
        """Load the model; further calls return at once.

        Raises:
            EngineUnavailable: the model or its library is missing.
        """

    def stream(self) -> Callable[[Samples], Probabilities]:
        """A fresh stream, one a speaker: called with the samples that follow, it returns probabilities."""

    def heard_together(self, streams: Sequence[Any], samples: Probabilities) -> Probabilities:
        """float32[n_streams, n]: the speech probabilities of the next n frames of each of its streams.

        samples: float32[n_streams, n * 512] mono 16 000 Hz.
        """


class EndOfTurnModel(Protocol):
    """Tells a pause from the end of an answer. Thread-safe."""

    def load(self) -> None:
        """Load the model; further calls return at once.

        Raises:
            EngineUnavailable: the model or its library is missing.
        """

    def probability(self, samples: Samples) -> float:
        """0..1: how likely the speaker has finished.

        samples: float32[n_samples] mono 16 000 Hz, the turn so far with the pause at its end.
        """


class DiarizationEngine(Protocol):
    """Tells the speakers of a file apart. Thread-safe."""

    def load(self) -> None:
        """Load the models; further calls return at once.

        Raises:
            EngineUnavailable: a model or the library is missing; the message says which setting to change.
        """

    def turns(self, samples: Samples) -> tuple[SpeakerTurn, ...]:
        """The turns in order of their start. Loads the models if that has not happened.

        Raises:
            EngineUnavailable: a model or the library is missing; the message says which setting to change.
        """


def checked_speed(speed: float) -> float:
    """Return `speed` if voices stay intelligible at it.

    Raises:
        SynthesisFailed: outside 0.5..2.0.
    """
    if not MIN_VOICE_SPEED <= speed <= MAX_VOICE_SPEED:
        raise SynthesisFailed(f"A speed of {speed} cannot be spoken; choose 0.5 to 2.0.")
    return speed


def matching_voice(voices: tuple[Voice, ...], *, voice: str | None, language: str) -> Voice:
    """Return the voice with id `voice`, else the first tagged `language` or its primary language.

    A requested speaker or blend is kept: the result is the voice that it begins with, under the requested id.

    Raises:
        LanguageUnsupported: none of these exists.
    """
    tag, base = canonical_tag(language), base_voice_id(voice or "")
    for candidate in voices:
        if candidate.id == voice:
            return candidate
    for candidate in voices:
        if candidate.id == base:
            return replace(candidate, id=voice or base)
    by_tag = (candidate for candidate in voices if canonical_tag(candidate.language) == tag)
    by_language = (c for c in voices if primary_language(c.language) == primary_language(tag))
    for candidate in (*by_tag, *by_language):
        return candidate
    raise LanguageUnsupported(f"No voice speaks {language!r}; add one or choose another language.")


def base_voice_id(voice_id: str) -> str:
    """Return the id of the voice that a speaker or a blend begins with: "kokoro:a" for "kokoro:a+b"."""
    engine, _, rest = voice_id.partition(":")
    return f"{engine}:{re.split('[#+:]', rest, maxsplit=1)[0]}"
