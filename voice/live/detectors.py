"""The models for detecting live speech, one of each in a process."""

import logging
from functools import cache

from django.conf import settings

from voice.engines.vad.silero import SileroVad
from voice.engines.vad.smart_turn import SmartTurn
from voice.errors import EngineUnavailable

logger = logging.getLogger(__name__)


@cache
def voice_activity() -> SileroVad:
    """Return the voice activity model."""
    vad = SileroVad()
    vad.load()
    return vad


@cache
def smart_turn() -> SmartTurn | None:
    """Return the semantic model, or None if it is not installed."""
    model = SmartTurn(settings.VOICE["SMART_TURN_MODEL"])
    try:
        model.load()
    except EngineUnavailable as error:
        logger.info("end of turn by silence alone: %s", error)
        return None
    return model
