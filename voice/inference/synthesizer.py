"""Text to speech with the first engine that works, at one loudness whatever the voice.

Each process has one `Synthesizer`. A worker loads it before its first job; jobs get it from `synthesizer()`.
"""

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

import numpy as np
from django.conf import settings

from voice.audio import tempo
from voice.audio.levelling import Leveller
from voice.engines import defaults, registry
from voice.engines.base import MAX_VOICE_SPEED, MIN_VOICE_SPEED, SynthesisEngine, matching_voice
from voice.errors import EngineUnavailable, LanguageUnsupported, SynthesisFailed
from voice.inference.chain import EngineCall, EngineChain, Link, NoneServed
from voice.inference.handover import Handover
from voice.inference.reports import EngineReport
from voice.inference.retry import Retry
from voice.speech import cloning
from voice.text.languages import CODES, primary_language
from voice.types import Samples, SpeechChunk, Voice

T = TypeVar("T")
_Spoken = tuple[Voice, SpeechChunk]
_Begin = Callable[[Iterator[_Spoken]], Iterable[_Spoken]]
"""Computes what must exist before any result is passed on: the first chunk of a stream, or all."""


@dataclass(frozen=True, slots=True)
class Synthesis:
    """Speech: `samples` float32[n_samples], mono, -1..1, at `sample_rate_hz`.

    voice: the id of the voice that was used, which may differ from the requested one.
    is_last_resort: it is intelligible and no more; the admin shows this.
    is_stand_in: another engine was meant to speak, but does not work right now.
    """

    samples: Samples
    sample_rate_hz: int
    engine: str
    voice: str
    is_last_resort: bool
    is_stand_in: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The text to speak, and how."""

    text: str
    voice: str | None
    language: str
    speed: float
    emotion: str | None


class SynthesisStream:
    """Speech as it is synthesised, one chunk a sentence; the first chunk is ready.

    voice: the id of the voice that is used, which may differ from the requested one.
    sample_rate_hz: of all chunks.
    is_last_resort: it is intelligible and no more.
    is_stand_in: another engine was meant to speak, but does not work right now.

    Iterating raises what `SynthesisEngine.synthesize` may raise; no other engine takes over in mid-speech. A
    reader that does not want the rest calls `close()`.
    """

    def __init__(self, engine: str, chunks: Generator[_Spoken], *, is_stand_in: bool = False) -> None:
        voice, first = next(chunks)
        self.engine = engine
        self.is_stand_in = is_stand_in
        self.voice = voice.id
        self.is_last_resort = voice.quality == "last_resort"
        self.sample_rate_hz = first.sample_rate_hz
        self._made = chunks
        self._chunks = itertools.chain([first], (chunk for _, chunk in chunks))

    def __iter__(self) -> Iterator[SpeechChunk]:
        return self

    def __next__(self) -> SpeechChunk:
        return next(self._chunks)

    def close(self) -> None:
        """Let the engine stop."""
        self._made.close()


class Synthesizer:
    """Tries engines in order. All methods may be called from several threads at once."""

    def __init__(
        self, engines: Iterable[SynthesisEngine], *, retry: Retry | None = None, pool: str = ""
    ) -> None:
        """pool: whose engines they are; "" where all workers are alike."""
        self._chain = EngineChain("synthesis", engines, pool=pool)
        self._retry = retry or Retry.from_settings()

    def load(self) -> None:
        """Load the first engine that can be loaded; the others are loaded when needed.

        Raises:
            EngineUnavailable: none can be loaded; the message has the reason of each.
        """
        self._chain.load()

    def voices(self) -> tuple[Voice, ...]:
        """Return the voices that can be chosen, best engines first."""
        return tuple(voice for link in self._chain for voice in link.engine.voices())

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Synthesis:
        """Synthesise `text` with the engine of the chosen voice, else with the first for the language.

        voice: an id of `voices()`; None, or an id that no longer exists, takes the best voice of the
        language.
        speed: 0.25..4; voices do 0.5..2 themselves. emotion: see `SynthesisEngine.synthesize`.

        Raises:
            SynthesisFailed: an engine was ready but made no speech of this text, nor did those after it.
            LanguageUnsupported: no voice of any engine speaks the language.
            EngineUnavailable: none of the engines works; the message has the reason of each.
        """
        return self._first_to_speak(_Wanted(text, voice, language, speed, emotion), list, _joined)

    def stream(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> SynthesisStream:
        """Like `synthesize`, but return as soon as the first sentence is synthesised.

        Raises:
            VoiceError: see `synthesize`; later, while iterating, only what the one engine raises.
        """
        wanted = _Wanted(text, voice, language, speed, emotion)
        return self._first_to_speak(wanted, _begun, lambda stream: stream)

    def _first_to_speak(self, wanted: _Wanted, begin: _Begin, take: Callable[[SynthesisStream], T]) -> T:
        """Apply `take` to the first engine's stream; if it fails, to the next engine's."""

        links = self._ordered_for(wanted.voice)
        meant = next((link for link in links if _has_voice_for(link, wanted)), None)

        handover: Handover[_Spoken] = Handover()

        def speak(link: Link[SynthesisEngine]) -> T:
            chunks = _spoken(link, wanted, begin, handover, self._retry)
            return take(SynthesisStream(link.engine.name, chunks, is_stand_in=link is not meant))

        try:
            return self._chain.first_to_serve(links, speak, handover)
        except NoneServed as none:
            raise _worst(none, wanted.language) from None

    def offered(self) -> dict[str, Sequence[str]]:
        """Return the languages that each engine which can be used speaks, by its name."""
        return self._chain.offered(_languages_of)

    def served(self) -> dict[str, list[str]]:
        """Return the languages that each engine is the first to speak, by its name."""
        return self._chain.served(_languages_of)

    def reports(self) -> tuple[EngineReport, ...]:
        """Return the report of each engine, in order."""
        return self._chain.reports()

    def _ordered_for(self, voice: str | None) -> list[Link[SynthesisEngine]]:
        engine = (voice or "").partition(":")[0]
        return sorted(
            self._chain, key=lambda link: link.engine.name != engine
        )  # stable: the others stay in order


def _languages_of(engine: SynthesisEngine) -> list[str]:
    spoken = {primary_language(voice.language) for voice in engine.voices()}
    return [code for code in CODES if code in spoken]


def _has_voice_for(link: Link[SynthesisEngine], wanted: _Wanted) -> bool:
    try:
        return bool(matching_voice(link.engine.voices(), voice=wanted.voice, language=wanted.language))
    except EngineUnavailable:
        return False


def _spoken(
    link: Link[SynthesisEngine], wanted: _Wanted, begin: _Begin, handover: Handover[_Spoken], retry: Retry
) -> Generator[_Spoken]:
    """Which voice spoke, with each chunk. What `begin` takes is tried again: nobody has heard of it."""
    with link.call(handover) as call:
        yield from handover.through(call.tried(lambda: begin(_made(link.engine, call, wanted)), retry))


def _begun(chunks: Iterator[_Spoken]) -> Iterable[_Spoken]:
    """Return the same chunks, with the first already computed."""
    return itertools.chain([next(chunks)], chunks)


def _made(engine: SynthesisEngine, call: EngineCall, wanted: _Wanted) -> Iterator[_Spoken]:
    """Yield chunk after chunk, at one loudness; the engine's time excludes that of the reader."""
    chosen = matching_voice(engine.voices(), voice=wanted.voice, language=wanted.language)
    with call.timed():
        chunks = iter(_chunks_of(engine, chosen, wanted))
        chunk = next(chunks, None)
    if chunk is None:
        raise SynthesisFailed("There is nothing to say in this text.")
    leveller = Leveller(chunk.sample_rate_hz)
    while chunk is not None:
        call.audio_s += chunk.duration_s
        yield chosen, _levelled(leveller, _at_pace(chunk, wanted.speed / _voice_speed(wanted.speed)))
        with call.timed():
            chunk = next(chunks, None)


def _chunks_of(engine: SynthesisEngine, voice: Voice, wanted: _Wanted) -> Iterator[SpeechChunk]:
    hints = {} if wanted.emotion is None else {"emotion": wanted.emotion}
    return engine.synthesize(
        wanted.text, voice=voice.id, language=wanted.language, speed=_voice_speed(wanted.speed), **hints
    )


def _voice_speed(speed: float) -> float:
    """Return the part of a speed that a voice itself can do; the rest is done to its sound."""
    return min(MAX_VOICE_SPEED, max(MIN_VOICE_SPEED, speed))


def _levelled(leveller: Leveller, chunk: SpeechChunk) -> SpeechChunk:
    if chunk.text:  # a sentence, or a vendor's first piece
        leveller.begin()
    return replace(chunk, samples=leveller.feed(chunk.samples))


def _at_pace(chunk: SpeechChunk, speed: float) -> SpeechChunk:
    if speed == 1.0:
        return chunk
    samples = list(tempo.paced(iter([chunk.samples]), rate_hz=chunk.sample_rate_hz, speed=speed))
    return replace(chunk, samples=np.concatenate(samples))


def _joined(stream: SynthesisStream) -> Synthesis:
    return Synthesis(
        samples=np.concatenate([chunk.samples for chunk in stream]),
        sample_rate_hz=stream.sample_rate_hz,
        engine=stream.engine,
        voice=stream.voice,
        is_last_resort=stream.is_last_resort,
        is_stand_in=stream.is_stand_in,
    )


def _worst(none: NoneServed, language: str) -> Exception:
    """Return the error for the caller: a text that failed, else a missing engine, else a language."""
    if none.blamed:
        return none.blamed
    if none.reasons:
        return EngineUnavailable(f"No engine could speak {language!r}. {none.reasons}")
    return LanguageUnsupported(f"No voice speaks {language!r}: {defaults.FURTHER_VOICES}.")


@cache
def synthesizer() -> Synthesizer:
    """Return the synthesiser of this process, with the engines of `settings.VOICE`."""
    config = registry.EngineConfig.from_settings(settings.VOICE, references=cloning.StoredReferences())
    return Synthesizer(registry.synthesis_engines(config), pool=settings.POOL)
