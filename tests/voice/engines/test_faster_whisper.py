import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.speech import spoken
from tests.standins import build_whisper
from voice.engines.base import EngineUnavailable, Word
from voice.engines.faster_whisper import FasterWhisper
from voice.engines.whisper_text import Decoded, segments_of, shortened
from voice.engines.windows import Span, Window

SAYS = "I led a team of five. Then we shipped it!"


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return build_whisper(tmp_path_factory.mktemp("whisper") / "model", say=SAYS, language="de")


@pytest.fixture(scope="module")
def single(model_dir):
    engine = FasterWhisper(str(model_dir), device="cpu", is_batched=False)
    engine.load()
    return engine


@pytest.fixture
def batched(model_dir):
    engine = FasterWhisper(str(model_dir), device="cpu", is_batched=True, batch_size=4, batch_wait_ms=200)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture
def batches(batched, monkeypatch):
    """How many windows went through the model at once, each time."""
    sizes, encode = [], batched._whisper.encode

    def counted(features):
        sizes.append(len(features))
        return encode(features)

    monkeypatch.setattr(batched._whisper, "encode", counted)
    return sizes


@pytest.fixture(scope="module")
def speech():
    return [spoken(text) for text in ("One short answer.", "A second, rather longer answer.", "Three.")]


def test_the_fixed_sentence_is_heard_and_cut_into_segments(single, speech):
    recognition = single.recognize(speech[0], language="en")

    assert recognition.text == SAYS
    assert [segment.text for segment in recognition.segments] == [
        "I led a team of five.",
        "Then we shipped it!",
    ]
    assert recognition.model.endswith("model")


def test_a_language_is_detected(single, speech):
    recognition = single.recognize(speech[0], language=None)

    assert (recognition.language, recognition.text) == ("de", SAYS)
    assert recognition.language_probability > 0.9


def test_no_language_is_detected_in_silence(single):
    recognition = single.recognize(np.zeros(16_000, np.float32), language=None)

    assert (recognition.language, recognition.language_probability) == ("und", 0.0)


def test_batched_calls_give_what_single_calls_give(single, batched, batches, speech):
    alone = [single.recognize(samples, language="en") for samples in speech]

    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda samples: batched.recognize(samples, language="en"), speech))

    assert [r.text for r in together] == [r.text for r in alone]
    assert [[w.text for w in r.words] for r in together] == [[w.text for w in r.words] for r in alone]
    for one, other in zip(together, alone, strict=True):
        assert [w.start_s for w in one.words] == pytest.approx([w.start_s for w in other.words], abs=0.1)
    assert sum(batches) == 3
    assert len(batches) < 3


def test_languages_and_options_never_share_a_batch(batched, batches, speech):
    barrier = threading.Barrier(3)

    def call(options):
        barrier.wait(10)
        return batched.recognize(speech[0], **options)

    options = [{"language": "en"}, {"language": "fr"}, {"language": "en", "hot_words": "Kafka"}]
    with ThreadPoolExecutor(3) as threads:
        languages = [r.language for r in threads.map(call, options)]

    assert languages == ["en", "fr", "en"]
    assert batches == [1, 1, 1]


def test_a_long_recording_is_recognised_in_windows_whose_words_lie_where_they_were_said(batched, batches):
    minute = np.concatenate([spoken("I worked on a large project for two years.", pause_s=2.0)] * 14)

    recognition = batched.recognize(minute, language="en")

    assert sum(batches) == 2
    assert max(batches) == 2
    assert recognition.text == f"{SAYS} {SAYS}"
    assert recognition.words[-1].end_s > 45
    assert all(segment.end_s <= len(minute) / 16_000 for segment in recognition.segments)


def test_a_closed_engine_loads_again(batched, speech):
    batched.close()

    assert batched.recognize(speech[0], language="en").text == SAYS


def test_a_failure_of_the_model_names_the_way_out(single, speech, monkeypatch):
    def out_of_memory(features):
        raise RuntimeError("CUDA failed with error out of memory")

    monkeypatch.setattr(single._whisper, "encode", out_of_memory)

    with pytest.raises(EngineUnavailable, match=r"out of memory.*smaller WHISPER_MODEL"):
        single.recognize(speech[0], language="en")


def test_a_decoding_that_repeats_itself_is_tried_again_hotter(single, speech, monkeypatch):
    generate, temperatures = single._generated, []

    def stubborn(*args):
        temperatures.append(args[3].temperature)
        return generate(*args)

    monkeypatch.setattr(single, "_generated", stubborn)
    monkeypatch.setattr("voice.engines.whisper_text.REPETITIVE_COMPRESSION", 0.1)

    assert single.recognize(speech[0], language="en").text == SAYS
    assert temperatures == [0.0, 0.4, 0.8]


def test_a_partial_is_tried_once(single, speech, monkeypatch):
    monkeypatch.setattr("voice.engines.whisper_text.REPETITIVE_COMPRESSION", 0.1)
    monkeypatch.setattr(single, "_best", None)

    assert single.recognize(speech[0], language="en", is_partial=True).words == ()


def test_a_missing_directory_says_so(tmp_path):
    with pytest.raises(EngineUnavailable, match="no directory"):
        FasterWhisper(str(tmp_path / "nowhere")).load()


def test_an_incomplete_directory_names_what_is_missing(tmp_path):
    (tmp_path / "config.json").write_text("{}")

    with pytest.raises(EngineUnavailable, match=r"model\.bin, tokenizer\.json"):
        FasterWhisper(str(tmp_path)).load()


def test_a_damaged_model_says_so(tmp_path, model_dir):
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        (tmp_path / name).write_bytes((model_dir / name).read_bytes())
    (tmp_path / "model.bin").write_bytes(b"no weights")

    with pytest.raises(EngineUnavailable, match="cannot be loaded on cpu"):
        FasterWhisper(str(tmp_path), device="cpu").load()


def test_a_size_nobody_trained_names_the_known_ones():
    with pytest.raises(EngineUnavailable, match=r"WHISPER_MODEL.*large-v3"):
        FasterWhisper("gigantic").load()


def test_an_english_model_supports_english_before_it_is_loaded():
    engine = FasterWhisper("base.en")

    assert [engine.supports(language) for language in ("en-GB", "de", None)] == [True, False, False]


@pytest.mark.parametrize("language", ["nb-NO", "iw", "cmn", "zh-TW", "fil"])
def test_languages_under_another_code_are_supported(language):
    assert FasterWhisper("base").supports(language)


def decoded(text="Hi.", words=(), avg_logprob=-0.1, no_speech_prob=0.0, compression=1.0):
    return Decoded(text, words, avg_logprob, no_speech_prob, compression)


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (decoded(), "good"),
        (decoded(avg_logprob=-1.5), "retry"),
        (decoded(compression=3.0), "retry"),
        (decoded(avg_logprob=-1.5, no_speech_prob=0.9), "silence"),
        (decoded(no_speech_prob=0.9), "good"),
    ],
)
def test_what_is_held_of_a_decoding(result, verdict):
    assert result.verdict == verdict


def test_words_that_linger_on_silence_are_shortened():
    words = [
        Word(" So,", 0, 3, 1),
        Word(" it", 3, 3.2, 1),
        Word(" is", 3.2, 3.4, 1),
        Word(" done.", 3.4, 9, 1),
    ]

    times = [(word.start_s, word.end_s) for word in shortened(words)]

    assert times[0] == pytest.approx((1.6, 3))
    assert times[3] == pytest.approx((3.4, 4.8))


def test_words_of_a_language_without_spaces_keep_their_text_together():
    words = (Word("你好", 0, 1, 1), Word("吗？", 1, 2, 1), Word("好。", 2, 3, 1))

    segments = segments_of(Window((Span(16_000, 80_000),)), decoded("你好吗？好。", words))

    assert [(s.text, s.start_s, s.end_s) for s in segments] == [("你好吗？", 1.0, 3.0), ("好。", 3.0, 4.0)]
