"""The contract of recognition engines: the fake, and the real ones available on this machine."""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from interview_platform.demo.embedded import free_port
from tests.contracts import adapters
from tests.sizes import sizes
from tests.speech import recordings, spoken, word_error_rate
from tests.vendors.server import KEY
from voice.engines.base import RecognitionEngine
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.stt.pocketsphinx import PocketSphinx
from voice.errors import AudioRejected, EngineUnavailable, LanguageUnsupported, TransientFailure

SENTENCE = "I worked on a large project for two years."
RATE_HZ = 16_000
of_vendors = pytest.mark.parametrize("adapter", adapters.RECOGNITION_VENDORS, indirect=True, scope="module")


@pytest.fixture(scope="module", params=[*adapters.RECOGNITION, *adapters.real(adapters.REAL_RECOGNITION)])
def adapter(request):
    with adapters.recognition(request.param, request) as adapter:
        yield adapter


@pytest.fixture(scope="module")
def speech():
    return spoken(SENTENCE)


@pytest.fixture(scope="module")
def recognition(adapter, speech):
    """What the engine recognised, once for all tests that only look at it."""
    return adapter.engine.recognize(speech, language="en")


def test_an_engine_keeps_the_protocol(engine):
    assert isinstance(engine, RecognitionEngine)
    assert engine.name
    assert engine.model
    assert engine.device in ("cpu", "cuda", "cloud")


def test_loading_again_does_no_harm(engine):
    engine.load()

    assert engine.supports("en")


def test_speech_gives_text_with_its_language_and_duration(engine, speech, recognition):
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


def test_confidences_and_probabilities_lie_in_their_ranges(recognition):
    assert all(0 <= word.confidence <= 1 for word in recognition.words)
    assert 0 < recognition.confidence <= 1
    assert all(
        segment.avg_logprob <= 0 and 0 <= segment.no_speech_prob <= 1 for segment in recognition.segments
    )


def test_segments_make_up_the_text(recognition):
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


def test_the_same_audio_gives_the_same_result_whatever_came_between(engine, speech, recognition):
    engine.recognize(spoken("Something else."), language="en")

    assert engine.recognize(speech, language="en") == recognition


@sizes("times", short=4, proof=8)
def test_several_threads_at_once_get_what_one_gets(engine, speech, recognition, times):
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda _: engine.recognize(speech, language="en").text, range(times)))

    assert together == [recognition.text] * times


def test_segments_are_told_once_each_and_in_order_or_not_at_all(engine, speech):
    told = []

    recognition = engine.recognize(speech, language="en", on_segments=told.append)

    assert all(told)
    assert tuple(segment for segments in told for segment in segments) in ((), recognition.segments)


def test_speech_after_silence_has_its_times_in_the_whole_recording(engine, speech):
    silence_s = 3.0
    late = np.concatenate([np.zeros(int(silence_s * RATE_HZ), np.float32), speech])

    recognition = engine.recognize(late, language="en")

    if engine.name != "fake":  # the fake spreads its words over all audio
        assert recognition.words[0].start_s >= silence_s - 0.5
    assert recognition.words[-1].end_s <= recognition.duration_s + 0.02


@pytest.mark.parametrize("adapter", ["faster_whisper"], indirect=True, scope="module")
def test_without_its_model_an_engine_says_what_to_do(adapter, tmp_path):
    with pytest.raises(EngineUnavailable, match="WHISPER_MODEL"):
        FasterWhisper(str(tmp_path / "nowhere"), device="cpu").load()


@of_vendors
def test_without_a_key_an_engine_names_the_variable(adapter, speech):
    before = adapter.vendor.requests
    with adapter.with_account(api_key="") as engine:
        for ask in (engine.load, lambda: engine.recognize(speech, language="en")):
            with pytest.raises(EngineUnavailable, match=adapter.account.key_variable):
                ask()

    assert adapter.vendor.requests == before


@of_vendors
def test_loading_and_silence_call_nobody(adapter):
    before = adapter.vendor.requests
    with adapter.with_account() as engine:
        engine.load()
        engine.recognize(np.zeros(5 * RATE_HZ, np.float32), language="en")

    assert adapter.vendor.requests == before


@of_vendors
@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_vendor_is_a_transient_failure(adapter, engine, speech, status):
    adapter.vendor.mood = status

    with pytest.raises(TransientFailure, match=str(status)):
        engine.recognize(speech, language="en")


@of_vendors
def test_a_broken_connection_is_a_transient_failure(adapter, engine, speech):
    adapter.vendor.mood = "break"

    with pytest.raises(TransientFailure):
        engine.recognize(speech, language="en")


@of_vendors
def test_a_vendor_that_cannot_be_reached_is_a_transient_failure(adapter, speech):
    with adapter.with_account(base_url=f"http://127.0.0.1:{free_port()}") as engine:
        with pytest.raises(TransientFailure):
            engine.recognize(speech, language="en")


@of_vendors
def test_a_vendor_that_is_silent_times_out(adapter, speech):
    adapter.vendor.mood = "hang"
    with adapter.with_account(timeout_s=0.2) as engine:
        with pytest.raises(TransientFailure, match=r"within 0.2 s"):
            engine.recognize(speech, language="en")


@of_vendors
@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_named_by_its_variable(adapter, engine, speech, status):
    adapter.vendor.mood = status

    with pytest.raises(EngineUnavailable, match=adapter.account.key_variable) as caught:
        engine.recognize(speech, language="en")
    assert not isinstance(caught.value, TransientFailure)


@of_vendors
@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_audio_that_a_vendor_refuses_is_rejected(adapter, engine, speech, status):
    adapter.vendor.mood = status

    with pytest.raises(AudioRejected):
        engine.recognize(speech, language="en")


@of_vendors
@pytest.mark.parametrize("mood", [404, 302, "nonsense"])
def test_an_answer_nobody_understands_makes_the_engine_unavailable(adapter, engine, speech, mood):
    adapter.vendor.mood = mood

    with pytest.raises(EngineUnavailable, match=r"check [A-Z]+_BASE_URL") as caught:
        engine.recognize(speech, language="en")
    assert not isinstance(caught.value, TransientFailure)


@of_vendors
def test_after_a_failure_the_next_call_works(adapter, engine, speech):
    for mood in (503, "break", "nonsense"):
        adapter.vendor.mood = mood
        with pytest.raises(EngineUnavailable):
            engine.recognize(speech, language="en")
    adapter.vendor.mood = ""

    assert engine.recognize(speech, language="en").text


@of_vendors
def test_neither_key_nor_words_are_told_in_errors_or_logs(adapter, engine, speech, caplog):
    caplog.set_level(logging.DEBUG)
    told = [engine.recognize(speech, language="en", hot_words="Kafka").text]
    for mood in (401, 400, 503, "break", "nonsense"):
        adapter.vendor.mood = mood
        with pytest.raises((EngineUnavailable, AudioRejected)) as caught:
            engine.recognize(speech, language="en", hot_words="Kafka")
        told.append(repr(caught.value) + repr(caught.value.__cause__))

    everything = " ".join([*told[1:], caplog.text, repr(engine._account)])
    assert not any(secret in everything for secret in (KEY, told[0], "Kafka"))


@sizes("count", short=3, proof=None)
def test_pocketsphinx_hears_recorded_people(count):
    clips = recordings("en")[:count]
    if not clips:
        pytest.skip("../shared/speech is not beside this repository")
    engine = PocketSphinx()

    rates = [
        word_error_rate(clip.transcript, engine.recognize(clip.samples(), language="en").text)
        for clip in clips
    ]

    assert np.median(rates) <= 0.35, rates
