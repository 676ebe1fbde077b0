"""Text to speech, whichever engine does it.

One `Synthesizer` a process. A worker loads it before its first job; jobs ask `synthesizer()` for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from django.conf import settings

from voice.engine_chain import EngineChain, Link
from voice.engine_reports import EngineReport
from voice.engines import registry
from voice.engines.base import (
    EngineUnavailable,
    LanguageUnsupported,
    Samples,
    SynthesisEngine,
    SynthesisFailed,
    Voice,
    VoiceError,
    matching_voice,
)


@dataclass(frozen=True, slots=True)
class Synthesis:
    """Speech: `samples` float32[n_samples], mono, -1..1, at `sample_rate_hz`.

    voice: the id of the voice that spoke, which need not be the one that was asked for.
    is_last_resort: it is intelligible and no more; admin says so.
    """

    samples: Samples
    sample_rate_hz: int
    engine: str
    voice: str
    is_last_resort: bool


class Synthesizer:
    """Tries engines in order. All methods may be called from several threads at once."""

    def __init__(self, engines: Iterable[SynthesisEngine]) -> None:
        self._chain = EngineChain("synthesis", engines)

    def load(self) -> None:
        """Load the first engine that can be loaded; the others follow when they are needed.

        Raises:
            EngineUnavailable: none can be loaded; the message has the reason of each.
        """
        self._chain.load()

    def voices(self) -> tuple[Voice, ...]:
        """The voices that can be chosen, best engines first."""
        return tuple(voice for link in self._chain for voice in link.engine.voices())

    def synthesize(self, text: str, *, voice: str | None, language: str) -> Synthesis:
        """Speak `text` with the engine of the chosen voice, else with the first that speaks the language.

        voice: an id of `voices()`; None, or one that is no more, takes the best voice of the language.

        Raises:
            SynthesisFailed: an engine was ready but made no speech of this text, nor did those after it.
            LanguageUnsupported: no voice of any engine speaks the language.
            EngineUnavailable: none of the engines works; the message has the reason of each.
        """
        failures: list[tuple[str, VoiceError]] = []
        for link in self._ordered_for(voice):
            try:
                return _speak(link, text, voice=voice, language=language)
            except EngineUnavailable as error:
                link.note(error)
                failures.append((link.engine.name, error))
            except SynthesisFailed as error:
                failures.append((link.engine.name, error))
        raise _worst(failures, language)

    def reports(self) -> tuple[EngineReport, ...]:
        """What is known of each engine, in order."""
        return self._chain.reports()

    def _ordered_for(self, voice: str | None) -> list[Link[SynthesisEngine]]:
        engine = (voice or "").partition(":")[0]
        return sorted(
            self._chain, key=lambda link: link.engine.name != engine
        )  # stable: the others stay in order


def _speak(link: Link[SynthesisEngine], text: str, *, voice: str | None, language: str) -> Synthesis:
    link.load()
    chosen = matching_voice(link.engine.voices(), voice=voice, language=language)
    chunks = list(link.engine.synthesize(text, voice=chosen.id, language=language))
    if not chunks:
        raise SynthesisFailed("There is nothing to say in this text.")
    return Synthesis(
        samples=np.concatenate([chunk.samples for chunk in chunks]),
        sample_rate_hz=chunks[0].sample_rate_hz,
        engine=link.engine.name,
        voice=chosen.id,
        is_last_resort=chosen.quality == "last_resort",
    )


def _worst(failures: list[tuple[str, VoiceError]], language: str) -> VoiceError:
    """What to tell the caller: a text that failed, else an engine that is missing, else a language."""
    for _, error in failures:
        if isinstance(error, SynthesisFailed):
            return error
    reasons = [f"{name}: {error}" for name, error in failures if not isinstance(error, LanguageUnsupported)]
    if reasons:
        return EngineUnavailable(f"No engine could speak {language!r}. " + "; ".join(reasons))
    return LanguageUnsupported(f"No voice speaks {language!r}: install a Piper voice for it (PIPER_VOICES).")


@cache
def synthesizer() -> Synthesizer:
    """The synthesiser of this process, with the engines of `settings.VOICE`."""
    return Synthesizer(registry.synthesis_engines(registry.EngineConfig.from_settings(settings.VOICE)))
