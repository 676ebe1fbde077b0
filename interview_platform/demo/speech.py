"""What the demo speaks and recognises with, in words for its ready line. Loads no model.

described(["en", "de"])     # {"speech_en": "spoken by piper:en_US-joe-medium; recognised by …", …}
"""

import json
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from voice.engines import downloads
from voice.engines.base import matching_voice
from voice.engines.registry import EngineConfig, recognition_engines
from voice.errors import LanguageUnsupported
from voice.speech import voices


def add_to(summary: Path) -> None:
    """Add what `described` returns for the demo's interviews to the facts in the file `summary`."""
    facts = json.loads(summary.read_text(encoding="utf-8"))
    facts |= described(facts["interviews"])
    summary.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def described(languages: Iterable[str]) -> dict[str, str]:
    """Return for each language of interviews who speaks and who recognises it, by "speech_<language>"."""
    return {f"speech_{code}": f"{_spoken(code)}; {_recognised(code)}" for code in languages}


def _spoken(language: str) -> str:
    try:
        voice = matching_voice(voices.known(), voice=None, language=language)
    except LanguageUnsupported:
        return "not spoken"
    is_mechanical = voice.quality == "last_resort"
    return f"spoken by {voice.id}{', which sounds mechanical' if is_mechanical else ''}"


def _recognised(language: str) -> str:
    engines = recognition_engines(EngineConfig.from_settings(settings.VOICE))
    for engine in engines:
        if engine.supports(language) and downloads.is_here(engine.name, settings.VOICE):
            return f"recognised by {engine.name} {Path(engine.model).name}"
    return "not recognised"
