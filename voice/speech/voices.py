"""The voices that can be chosen on this installation, and what a request may call them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.conf import settings

from voice.engines.base import base_voice_id
from voice.engines.registry import EngineConfig, is_blend, synthesis_engines
from voice.speech import cloning
from voice.speech.voice_samples import sample_text
from voice.text.languages import primary_language
from voice.types import Voice


def known() -> tuple[Voice, ...]:
    """Every voice of the configured engines, those tried first in front. Loads no model."""
    engines = synthesis_engines(EngineConfig.from_settings(settings.VOICE))
    return tuple(voice for engine in engines for voice in engine.voices())


def cloned(owner: str, *, language: str = "en") -> tuple[Voice, ...]:
    """The owner's cloned voices, each speaking `language`; `name` is what they were registered as."""
    return tuple(cloning.as_voice(row, language=language) for row in cloning.voices_of(owner))


def speaks(voice: Voice, language: str) -> bool:
    """Whether the voice is one for this language, whatever its region."""
    return primary_language(voice.language) == primary_language(language)


def chosen(voice_id: str, *, among: Iterable[Voice]) -> Voice | None:
    """The voice of an engine that a request means, under the id to ask for; None when it means none.

    voice_id: an id of `among` (`known()`), with a speaker ("piper:en_US-libritts-high#p3922") or as a blend
    ("kokoro:af_heart:0.7+af_bella:0.3") if it likes.
    """
    voices = {voice.id: voice for voice in among}
    if voice_id in voices:
        return voices[voice_id]
    base = voices.get(base_voice_id(voice_id))
    if base and (_has_speaker(base, voice_id) or is_blend(voice_id, voices.values())):
        return replace(base, id=voice_id)
    return None


def chosen_clone(voice_id: str, *, owner: str, language: str) -> Voice | None:
    """The owner's cloned voice that a request means by its name or id; None when it means none.

    language: what it is to speak. Reads the database.
    """
    row = cloning.find(owner, voice_id)
    return cloning.as_voice(row, language=language) if row else None


def described(voice: Voice) -> dict[str, Any]:
    """A voice for a list in JSON; `sample_text` is a sentence in its language to have it speak, or null."""
    return {
        "id": voice.name if voice.quality == "cloned" else voice.id,
        "name": voice.name,
        "language": voice.language,
        "engine": voice.engine,
        "quality": voice.quality,
        "sample_rate_hz": voice.sample_rate_hz,
        "speakers": list(voice.speakers),
        "sample_text": sample_text(voice.language),
    }


def _has_speaker(voice: Voice, voice_id: str) -> bool:
    """By name, or by number as the engine counts them."""
    speaker = voice_id.removeprefix(f"{voice.id}#")
    numbers = map(str, range(len(voice.speakers)))
    return speaker != voice_id and (speaker in voice.speakers or speaker in numbers)
