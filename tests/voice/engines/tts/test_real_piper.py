"""Piper with a real voice: what it says is heard by real Whisper."""

import numpy as np
import pytest

from tests import real_models
from tests.sounds import resample
from tests.speech import word_error_rate
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.tts.piper import Piper
from voice.types import RECOGNITION_RATE_HZ

pytestmark = pytest.mark.real

QUESTION = "What would you like to learn in your first three months with us?"


def test_a_question_is_spoken_so_that_it_is_understood():
    piper = Piper(real_models.piper())
    whisper = FasterWhisper(str(real_models.whisper("tiny.en")), device="cpu", slots=1)
    whisper.load()
    try:
        chunks = list(piper.synthesize(QUESTION, voice="piper:en_US-joe-medium", language="en"))
        spoken = np.concatenate([chunk.samples for chunk in chunks])
        heard = whisper.recognize(
            resample(spoken, chunks[0].sample_rate_hz, RECOGNITION_RATE_HZ), language="en"
        )
    finally:
        whisper.close()

    assert word_error_rate(QUESTION, heard.text) <= 0.1, heard.text
