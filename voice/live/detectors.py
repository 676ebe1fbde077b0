"""The models for detecting live speech, one of each in a process."""

import logging
from functools import cache

from django.conf import settings

from voice.engines import registry
from voice.engines.base import EndOfTurnModel, VoiceActivityDetector
from voice.errors import EngineUnavailable

logger = logging.getLogger(__name__)


@cache
def voice_activity() -> VoiceActivityDetector:
    """The voice activity detector."""
    vad = registry.voice_activity_detector()
    vad.load()
    return vad


@cache
def smart_turn() -> EndOfTurnModel | None:
    """The semantic model, or None where it is not installed."""
    model = registry.end_of_turn_model(registry.EngineConfig.from_settings(settings.VOICE))
    try:
        model.load()
    except EngineUnavailable as error:
        logger.info("end of turn by silence alone: %s", error)
        return None
    return model
