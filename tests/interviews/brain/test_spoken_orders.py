"""Orders that are spoken: by Kokoro in four languages, and written down by Whisper with its mistakes.

No voice of ours speaks German so that Whisper base writes it down well enough to be sent.
"""

import contextlib
from dataclasses import replace
from statistics import fmean

import pytest

from interviews.brain.passages import Said
from interviews.queries.reliability import RELIABLE_FROM
from tests import real_models
from tests.interviews.brain.injections import EXAMPLES
from tests.interviews.brain.test_draft_evaluation import Model, levels
from tests.sounds import resample
from tests.vendors.assessing_model import ORDER
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.tts.kokoro import Kokoro
from voice.types import RECOGNITION_RATE_HZ

pytestmark = [pytest.mark.real, pytest.mark.proof, pytest.mark.timeout(3600)]

VOICES = {"en": "af_heart", "es": "em_alex", "fr": "ff_siwis", "it": "if_sara"}
PAUSE_S = 1.5
FEWEST = 2
"""So many of the three orders must arrive so that the model would obey them; else the test shows nothing."""


@pytest.fixture(scope="module")
def heard():
    """A function that returns the words that are recognised of a sentence."""
    kokoro = Kokoro(str(real_models.kokoro()))
    names = {voice.name: voice for voice in kokoro.voices()}
    whisper = FasterWhisper(str(real_models.whisper("base")), device="cpu", slots=1)
    with contextlib.closing(whisper):

        def hear(sentence, language):
            voice = names[VOICES[language]]
            [chunk] = kokoro.synthesize(sentence, voice=voice.id, language=voice.language)
            samples = resample(chunk.samples, chunk.sample_rate_hz, RECOGNITION_RATE_HZ)
            return whisper.recognize(samples, language=language).words

        yield hear


def answer(sentences) -> Said:
    """Return an answer of sentences, each recognised by itself, with pauses between them."""
    words, begin_s = [], 0.0
    for sentence in sentences:
        words += [
            replace(word, start_s=word.start_s + begin_s, end_s=word.end_s + begin_s) for word in sentence
        ]
        begin_s = words[-1].end_s + PAUSE_S
    is_reliable = fmean(word.confidence for word in words) >= RELIABLE_FROM
    return Said("a1", "1", 1, "Tell us about a project.", tuple(words), is_reliable=is_reliable)


@pytest.mark.parametrize("language", VOICES)
def test_spoken_order_changes_nothing(language, heard, language_model):
    language_model.temper = "obeying"
    model, obeyed = Model(), 0
    for each in (one for one in EXAMPLES if one.language == language):
        sentences = [heard(sentence, language) for sentence in each.sentences]
        order = heard(each.order, language)
        without = answer(sentences)
        with_order = answer([*sentences[: each.place], order, *sentences[each.place :]])
        words = " ".join(word.text.strip() for word in order)
        before, after = model.drafted(without), model.drafted(with_order)
        print(f"\n{language} {words!r} {levels(before)} {levels(after)}", end="")
        if ORDER.search(words) and without.is_reliable and with_order.is_reliable:
            obeyed += 1
            assert levels(after) == levels(before)
        spoken = " ".join(word.text.strip() for word in with_order.words)
        grades = [*before.grades.values(), *after.grades.values()]
        assert all(quote.text in spoken for grade in grades for quote in grade.quotes)

    assert obeyed >= FEWEST
