"""The voices of this installation, and how a request refers to them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import redis
from django.conf import settings

from voice.engines.base import base_voice_id
from voice.engines.registry import EngineConfig, is_blend, synthesis_engines
from voice.infra import redis_clients
from voice.queues import pools
from voice.speech import cloning
from voice.speech.voice_samples import sample_text
from voice.text.languages import primary_language
from voice.types import Voice


def known() -> tuple[Voice, ...]:
    """Return every voice of the configured engines, in the order of the engines. Loads no model."""
    engines = synthesis_engines(EngineConfig.from_settings(settings.VOICE))
    return tuple(voice for engine in engines for voice in engine.voices())


def cloned(owner: str, *, language: str = "en") -> tuple[Voice, ...]:
    """Return the owner's cloned voices, each speaking `language`; `name` is their registered name."""
    return tuple(cloning.as_voice(row, language=language) for row in cloning.voices_of(owner))


def speaks(voice: Voice, language: str) -> bool:
    """Whether the voice speaks this language, in any region."""
    return primary_language(voice.language) == primary_language(language)


def engine_of(voice_id: str, language: str, *, among: Iterable[Voice] | None = None) -> str:
    """Return the engine that is meant to speak with a voice; "" where none speaks the language.

    voice_id: "" is the best voice of the language; so is a voice whose engine does not speak it.
    among: the voices that this process knows; None reads them. An engine without any works elsewhere.
    """
    found = known() if among is None else tuple(among)
    engine = voice_id.partition(":")[0]
    speaking = [voice.engine for voice in found if speaks(voice, language)]
    is_elsewhere = engine in settings.VOICE["TTS_ENGINES"] and all(v.engine != engine for v in found)
    return engine if engine in speaking or is_elsewhere else next(iter(speaking), "")


def is_spoken(voice_id: str, language: str) -> bool:
    """Whether a living worker has the engine of the voice."""
    needs = pools.engine(engine_of(voice_id, language))
    try:
        served = pools.read(pools.lists_of("tts"), needs, redis_clients.sync_client())
    except redis.RedisError:
        return False
    return any(each.fit for each in served)


def chosen(voice_id: str, *, among: Iterable[Voice]) -> Voice | None:
    """Return the engine's voice that a request names, under the id to use; None if it names none.

    voice_id: an id of `among` (`known()`), optionally with a speaker ("piper:en_US-libritts-high#p3922") or
    as a blend ("kokoro:af_heart:0.7+af_bella:0.3").
    """
    voices = {voice.id: voice for voice in among}
    if voice_id in voices:
        return voices[voice_id]
    base = voices.get(base_voice_id(voice_id))
    if base and (_has_speaker(base, voice_id) or is_blend(voice_id, voices.values())):
        return replace(base, id=voice_id)
    return None


def chosen_clone(voice_id: str, *, owner: str, language: str) -> Voice | None:
    """Return the owner's cloned voice that a request names by name or id; None if it names none.

    language: the language to speak. Reads the database.
    """
    row = cloning.find(owner, voice_id)
    return cloning.as_voice(row, language=language) if row else None


def described(voice: Voice) -> dict[str, Any]:
    """Return a voice for a list in JSON; `sample_text` is a sample sentence in its language, or null."""
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
    """Whether the id names a speaker, by name or by the engine's number."""
    speaker = voice_id.removeprefix(f"{voice.id}#")
    numbers = map(str, range(len(voice.speakers)))
    return speaker != voice_id and (speaker in voice.speakers or speaker in numbers)
