"""Whether what candidates say can be written down, and by which models."""

import redis

from voice.inference import reports
from voice.types import EngineModel


def lacks_engine(language: str) -> bool:
    """Whether the workers that run recognise other languages, but not this one.

    False while no worker runs or Redis is away: then nothing is known.
    """
    try:
        heard = reports.languages_heard()
    except redis.RedisError:
        return False
    return heard is not None and not reports.is_heard(language, heard)


def models_for(language: str) -> list[EngineModel]:
    """Return the engines and models of running workers that recognise the language; none without Redis."""
    try:
        return reports.models_for(language)
    except redis.RedisError:
        return []
