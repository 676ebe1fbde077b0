"""What every recognition engine does: the fake, and the real ones on what this machine has."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.fakes import FakeRecognition
from tests.speech import recordings, spoken, word_error_rate
from voice.engines.base import AudioRejected, LanguageUnsupported, RecognitionEngine
from voice.engines.faster_whisper import FasterWhisper
from voice.engines.pocketsphinx import PocketSphinx

SENTENCE = "I worked on a large project for two years."
RATE_HZ = 16_000


@pytest.fixture(scope="module", params=["fake", "faster_whisper", "faster_whisper_batched", "pocketsphinx"])
def engine(request):
    if request.param == "fake":
        engine = FakeRecognition()
    elif request.param == "pocketsphinx":
        engine = PocketSphinx()
    else:
        model = str(request.getfixturevalue("whisper_model"))
        engine = FasterWhisper(model, device="cpu", slots=2, is_batched=request.param.endswith("batched"))
    engine.load()
    yield engine
    if isinstance(engine, FasterWhisper):
        engine.close()


@pytest.fixture(scope="module")
def speech():
    return spoken(SENTENCE)


def test_an_engine_keeps_the_protocol(engine):
    assert isinstance(engine, RecognitionEngine)
    assert engine.name
    assert engine.model
    assert engine.device in ("cpu", "cuda")


def test_loading_again_does_no_harm(engine):
    engine.load()

    assert engine.supports("en")


def test_speech_gives_text_with_its_language_and_duration(engine, speech):
    recognition = engine.recognize(speech, language="en")

    assert recognition.text == recognition.text.strip() != ""
    assert recognition.language == "en"
    assert recognition.language_probability == 1.0
    assert recognition.duration_s == len(speech) / RATE_HZ
    assert (recognition.engine, recognition.model) == (engine.name, engine.model)


def test_words_lie_in_order_within_the_recording(engine, speech):
    recognition = engine.recognize(speech, language="en-US")

    words = recognition.words
    assert words
    assert all(0 <= word.start_s <= word.end_s <= recognition.duration_s + 0.02 for word in words)
    assert [word.start_s for word in words] == sorted(word.start_s for word in words)
    assert all(word.text == word.text.strip() != "" for word in words)
    assert " ".join(word.text for word in words) == recognition.text


def test_confidences_and_probabilities_lie_in_their_ranges(engine, speech):
    recognition = engine.recognize(speech, language="en")

    assert all(0 <= word.confidence <= 1 for word in recognition.words)
    assert 0 < recognition.confidence <= 1
    assert all(
        segment.avg_logprob <= 0 and 0 <= segment.no_speech_prob <= 1 for segment in recognition.segments
    )


def test_segments_make_up_the_text(engine, speech):
    recognition = engine.recognize(speech, language="en")

    assert " ".join(segment.text for segment in recognition.segments) == recognition.text
    assert all(segment.start_s <= segment.end_s for segment in recognition.segments)


def test_a_partial_gives_text(engine, speech):
    recognition = engine.recognize(speech, language="en", is_partial=True)

    assert recognition.text
    assert 0 < recognition.confidence <= 1


@pytest.mark.parametrize("n_samples", [0, 100, RATE_HZ, 40 * RATE_HZ])
@pytest.mark.parametrize("is_partial", [False, True])
def test_silence_gives_no_text(engine, n_samples, is_partial):
    recognition = engine.recognize(np.zeros(n_samples, np.float32), language="en", is_partial=is_partial)

    assert (recognition.text, recognition.segments, recognition.confidence) == ("", (), 0.0)
    assert recognition.duration_s == n_samples / RATE_HZ


@pytest.mark.parametrize(
    "audio",
    [
        np.array([np.nan], np.float32),
        np.array([np.inf], np.float32),
        np.array([20_000.0], np.float32),
        np.zeros((2, 100), np.float32),
        np.zeros(100, np.int16),
        b"\x00\x00",
    ],
    ids=["nan", "infinite", "integer scale", "stereo", "integers", "bytes"],
)
def test_what_is_no_audio_is_rejected(engine, audio):
    with pytest.raises(AudioRejected):
        engine.recognize(audio, language="en")


def test_a_language_nobody_speaks_is_refused(engine):
    assert not engine.supports("xx")
    with pytest.raises(LanguageUnsupported):
        engine.recognize(np.zeros(RATE_HZ, np.float32), language="xx")


def test_without_a_language_it_is_detected_or_refused(engine, speech):
    if not engine.supports(None):
        with pytest.raises(LanguageUnsupported):
            engine.recognize(speech, language=None)
        return
    recognition = engine.recognize(speech, language=None)

    assert recognition.language == "en"
    assert 0 < recognition.language_probability <= 1


def test_hot_words_are_taken_or_ignored(engine, speech):
    assert engine.recognize(speech, language="en", hot_words="Kafka, Kubernetes").text


def test_the_same_audio_gives_the_same_result_whatever_came_between(engine, speech):
    first = engine.recognize(speech, language="en")
    engine.recognize(spoken("Something else."), language="en")

    assert engine.recognize(speech, language="en") == first


def test_several_threads_at_once_get_what_one_gets(engine, speech):
    alone = engine.recognize(speech, language="en").text

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda _: engine.recognize(speech, language="en").text, range(8)))

    assert together == [alone] * 8


def test_pocketsphinx_hears_recorded_people():
    clips = recordings("en")
    if not clips:
        pytest.skip("../shared/speech is not beside this repository")
    engine = PocketSphinx()

    rates = [
        word_error_rate(clip.transcript, engine.recognize(clip.samples(), language="en").text)
        for clip in clips
    ]

    assert np.median(rates) <= 0.35, rates
