"""The chain of synthesis engines."""

import numpy as np
import pytest

from voice.engines.base import SteadyEngine, matching_voice
from voice.engines.registry import EngineConfig, synthesis_engines
from voice.errors import EngineUnavailable, LanguageUnsupported, SynthesisFailed
from voice.inference.synthesizer import Synthesizer
from voice.types import SpeechChunk, Voice

pytestmark = pytest.mark.usefixtures("clean_redis")  # for the engines' breakers


class Scripted(SteadyEngine):
    """An engine that does as it is told; what real ones do is for the contract suite."""

    model, device = "none", "cpu"

    def __init__(self, name, *languages, quality="neural", load_error=None, error=None):
        self.name, self.load_error, self.error = name, load_error, error
        self._voices = tuple(
            Voice(f"{name}:{language}", language, language, name, quality, 22_050) for language in languages
        )

    def load(self):
        if self.load_error:
            raise EngineUnavailable(self.load_error)

    def voices(self):
        return self._voices

    def synthesize(self, text, *, voice, language, speed=1.0):
        matching_voice(self._voices, voice=voice, language=language)
        if self.error:
            raise self.error
        for sentence in text.split(". "):
            yield SpeechChunk(np.ones(len(sentence), np.float32), 22_050, sentence)


def test_sentences_are_joined():
    result = Synthesizer([Scripted("a", "en-US")]).synthesize("One. Two", voice=None, language="en")

    assert result.samples.dtype == np.float32
    assert len(result.samples) == len("One") + len("Two")
    assert (result.engine, result.voice, result.sample_rate_hz) == ("a", "a:en-US", 22_050)
    assert not result.is_last_resort


def test_chosen_voice_comes_before_the_order_of_engines():
    synthesizer = Synthesizer([Scripted("a", "en-US"), Scripted("b", "en-US", "en-GB")])

    assert synthesizer.synthesize("Hi", voice="b:en-GB", language="en").voice == "b:en-GB"


def test_voice_that_is_no_more_is_replaced_by_one_of_its_language():
    synthesizer = Synthesizer([Scripted("a", "en-US"), Scripted("b", "de-DE")])

    assert synthesizer.synthesize("Hallo", voice="a:de-DE-gone", language="de").voice == "b:de-DE"


@pytest.mark.parametrize(
    "broken",
    [
        {"load_error": "no voice"},
        {"error": EngineUnavailable("no device")},
        {"error": SynthesisFailed("too long")},
    ],
)
def test_next_engine_speaks_when_one_cannot(broken):
    fallback = Scripted("b", "en", quality="last_resort")
    synthesizer = Synthesizer([Scripted("a", "en", **broken), fallback])

    result = synthesizer.synthesize("Hi", voice="a:en", language="en")

    assert (result.engine, result.voice, result.is_last_resort) == ("b", "b:en", True)


def test_text_that_failed_is_told_before_an_engine_that_is_missing():
    engines = [Scripted("a", load_error="no voice"), Scripted("b", "en", error=SynthesisFailed("too long"))]

    with pytest.raises(SynthesisFailed, match="too long"):
        Synthesizer(engines).synthesize("Hi", voice=None, language="en")


def test_missing_engine_is_told_before_a_language_nobody_speaks():
    engines = [Scripted("a", load_error="no voice"), Scripted("b", "de")]

    with pytest.raises(EngineUnavailable, match="a: no voice"):
        Synthesizer(engines).synthesize("Hi", voice=None, language="en")
    with pytest.raises(LanguageUnsupported, match="PIPER_VOICES"):
        Synthesizer(engines[1:]).synthesize("Hi", voice=None, language="en")


def test_voices_of_all_engines_can_be_chosen():
    synthesizer = Synthesizer([Scripted("a", "en"), Scripted("b", "en", "de")])

    assert [voice.id for voice in synthesizer.voices()] == ["a:en", "b:en", "b:de"]


def test_without_a_voice_espeak_speaks_and_says_so(tmp_path):
    config = EngineConfig(piper_voices_dir=str(tmp_path), tts_engines=("piper", "espeak"))
    synthesizer = Synthesizer(synthesis_engines(config))
    synthesizer.load()

    result = synthesizer.synthesize("Guten Tag.", voice=None, language="de")

    assert (result.engine, result.is_last_resort) == ("espeak", True)
    assert len(result.samples) > result.sample_rate_hz / 4
    assert [report.state for report in synthesizer.reports()] == ["unavailable", "ready"]


def test_with_a_voice_piper_speaks(piper_voices):
    synthesizer = Synthesizer(synthesis_engines(EngineConfig(piper_voices_dir=str(piper_voices))))
    synthesizer.load()

    result = synthesizer.synthesize("Good morning.", voice=None, language="en")

    assert (result.engine, result.is_last_resort) == ("piper", False)
    assert synthesizer.reports()[0].state == "ready"
