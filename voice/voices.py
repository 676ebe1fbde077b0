"""The voices that can be chosen on this installation."""

from django.conf import settings

from voice.engines.base import Voice, primary_language
from voice.engines.registry import EngineConfig, synthesis_engines


def known() -> tuple[Voice, ...]:
    """Every voice of the configured engines, those tried first in front. Loads no model."""
    engines = synthesis_engines(EngineConfig.from_settings(settings.VOICE))
    return tuple(voice for engine in engines for voice in engine.voices())


def speaks(voice: Voice, language: str) -> bool:
    """Whether the voice is one for this language, whatever its region."""
    return primary_language(voice.language) == primary_language(language)
