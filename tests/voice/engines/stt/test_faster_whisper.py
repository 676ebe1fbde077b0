import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from tests import real_models
from tests.faults.waiting import wait_for
from tests.speech import recordings, spoken
from tests.standins import build_whisper
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.stt.whisper_decoding import Kind, WhisperDecoder
from voice.engines.stt.whisper_model import LoadedWhisper
from voice.engines.stt.whisper_text import Decoded, segments_of, shortened
from voice.engines.vad.windows import Span, Window
from voice.errors import EngineUnavailable, TransientFailure
from voice.infra.processor import behind
from voice.types import Word

SAYS = "I led a team of five. Then we shipped it!"
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return build_whisper(tmp_path_factory.mktemp("whisper") / "model", say=SAYS, language="de")


@pytest.fixture(scope="module")
def shared(model_dir):
    engine = FasterWhisper(str(model_dir), device="cpu", is_batched=False)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture
def single(shared, monkeypatch):
    """One engine for many tests; the model's wrapper is removed after each test."""
    whisper = shared._loaded.decoder.whisper
    monkeypatch.setattr(whisper, "model", whisper.model)
    return shared


@pytest.fixture
def batched(model_dir):
    engine = FasterWhisper(str(model_dir), device="cpu", is_batched=True, batch_size=4, batch_wait_ms=200)
    engine.load()
    yield engine
    engine.close()


class Watched:
    """A wrapper of CTranslate2's model that records calls; `intervene(name)` decides how they end."""

    def __init__(self, model, intervene=lambda name: None):
        self._model, self._intervene = model, intervene
        self.calls = []

    def __getattr__(self, name):
        attribute = getattr(self._model, name)
        if name not in ("encode", "generate", "align", "detect_language"):
            return attribute

        def call(*args, **options):
            self._intervene(name)
            self.calls.append((name, args))
            return attribute(*args, **options)

        return call

    def sizes(self, name):
        """Return the number of windows in each call of that name."""
        return [_size(name, args) for called, args in self.calls if called == name]


def _size(name, args):
    return len(args[1]) if name == "generate" else args[0].shape[0]


def watched(engine, intervene=lambda name: None):
    whisper = engine._loaded.decoder.whisper
    whisper.model = Watched(whisper.model, intervene)
    return whisper.model


@pytest.fixture
def batches(batched):
    return watched(batched)


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


@pytest.mark.parametrize(
    ("model", "languages"),
    [
        ("large-v3", {"en", "de", "yue", None}),
        ("Systran/faster-whisper-large-v3", {"en", "de", "yue", None}),
        ("large-v2", {"en", "de", None}),
        ("base.en", {"en"}),
    ],
)
def test_languages_follow_the_model_before_it_is_loaded(model, languages):
    engine = FasterWhisper(model)

    assert {code for code in ("en", "de", "yue", None) if engine.supports(code)} == languages
    assert engine.supports("yue-HK") == ("yue" in languages)


def test_languages_of_a_loaded_model_are_those_it_has_tokens_for(single):
    single.load()
    assert (single.supports("de"), single.supports("yue")) == (True, False)

    tokens = SimpleNamespace(token_to_id=lambda token: 1 if token in ("<|en|>", "<|yue|>") else None)
    whisper = SimpleNamespace(model=SimpleNamespace(is_multilingual=True), hf_tokenizer=tokens)
    assert WhisperDecoder(whisper, has_beams=False).languages == {"en", "yue"}


def test_no_language_is_detected_in_silence(single):
    recognition = single.recognize(np.zeros(RATE_HZ, np.float32), language=None)

    assert (recognition.language, recognition.language_probability) == ("und", 0.0)


def test_batched_calls_give_what_single_calls_give(single, batched, batches, speech):
    alone = [single.recognize(samples, language="en") for samples in speech]

    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda samples: batched.recognize(samples, language="en"), speech))

    assert [r.text for r in together] == [r.text for r in alone]
    assert [[w.text for w in r.words] for r in together] == [[w.text for w in r.words] for r in alone]
    for one, other in zip(together, alone, strict=True):
        assert [w.start_s for w in one.words] == pytest.approx([w.start_s for w in other.words], abs=0.1)
    # the three were processed together, in one call of CTranslate2 for each step
    assert [batches.sizes(name) for name in ("encode", "generate", "align")] == [[3], [3], [3]]


@pytest.fixture
def apart(model_dir):
    engine = FasterWhisper(str(model_dir), device="cpu", slots=1)
    engine.load()
    yield engine
    engine.close()


def together(engine, calls):
    """Make all of `calls` of an engine of one slot, so that the others wait while the first is encoded."""
    begun, all_wait = threading.Event(), threading.Event()

    def hold_the_first(name):
        begun.set()
        assert all_wait.wait(120)

    model = watched(engine, hold_the_first)
    with ThreadPoolExecutor(len(calls)) as threads:
        futures = [threads.submit(calls[0])]
        assert begun.wait(120)
        for number, call in enumerate(calls[1:], start=1):
            futures.append(threads.submit(call))
            wait_in_line(engine, number)
        all_wait.set()
        return [future.result(120) for future in futures], model


def wait_in_line(engine, count):
    wait_for(lambda: waiting(engine) == count, "as many windows in line")


def test_on_cpu_windows_are_encoded_one_by_one_and_decoded_together(apart, speech):
    results, model = together(apart, [partial(apart.recognize, each, language="en") for each in speech])

    assert [result.text for result in results] == [SAYS] * 3
    assert model.sizes("encode") == model.sizes("align") == [1, 1, 1]
    assert model.sizes("generate") == [3]


def test_captions_and_work_that_stands_back_are_encoded_last(apart, speech):
    def call(name, behind_s=0.0, is_partial=False):
        with behind(behind_s):
            apart.recognize(speech[0], language="en", hot_words=name, is_partial=is_partial)

    _, model = together(
        apart,
        [
            partial(call, "first"),
            partial(call, "batch", behind_s=60.0),
            partial(call, "caption", is_partial=True),
            partial(call, "final"),
        ],
    )

    decode = apart._loaded.decoder.whisper.hf_tokenizer.decode
    prompts = [decode(args[1][0]) for name, args in model.calls if name == "generate"]
    assert [prompt.split()[0] for prompt in prompts] == ["first", "final", "caption", "batch"]


@pytest.mark.real
def test_people_are_heard_alike_alone_and_together():
    people = [recording.samples() for recording in recordings("en")[3:6]]
    if not people:
        pytest.skip("there are no recordings of people")
    engine = FasterWhisper(str(real_models.whisper("tiny.en")), device="cpu", slots=1)
    alone = [engine.recognize(samples, language="en") for samples in people]

    results, model = together(engine, [partial(engine.recognize, each, language="en") for each in people])
    engine.close()

    assert model.sizes("generate") == [3]
    assert [result.text for result in results] == [result.text for result in alone]
    assert [times_of(result) for result in results] == [times_of(result) for result in alone]


def times_of(recognition):
    return [(word.text, word.start_s, word.end_s) for word in recognition.words]


def waiting(engine):
    """How many windows wait to be encoded."""
    return len(engine._loaded.batcher._line._unprepared)


def test_a_doubtful_result_of_a_short_context_is_confirmed_in_30_s(single, speech, monkeypatch):
    monkeypatch.setattr(Decoded, "is_doubtful", lambda decoded, length_s: True)
    model = watched(single)

    assert single.recognize(speech[0], language="en").text == SAYS

    shown = [args[0].shape[1] for name, args in model.calls if name == "generate"]
    assert len(shown) == 2
    assert shown[0] < shown[1] == 1500


def test_languages_and_options_never_share_a_batch(batched, batches, speech):
    barrier = threading.Barrier(3)

    def call(options):
        barrier.wait(120)
        return batched.recognize(speech[0], **options)

    options = [{"language": "en"}, {"language": "fr"}, {"language": "en", "hot_words": "Kafka"}]
    with ThreadPoolExecutor(3) as threads:
        languages = [r.language for r in threads.map(call, options)]

    assert languages == ["en", "fr", "en"]
    assert batches.sizes("encode") == batches.sizes("generate") == [1, 1, 1]


WINDOWS = 4
"""Of a minute of fourteen sentences with pauses: a window ends with the sentence that completes 10 s."""


def test_a_long_recording_is_recognised_in_windows_whose_words_lie_where_they_were_said(batched, batches):
    minute = np.concatenate([spoken("I worked on a large project for two years.", pause_s=2.0)] * 14)

    recognition = batched.recognize(minute, language="en")

    assert sum(batches.sizes("generate")) == WINDOWS
    assert recognition.text == " ".join([SAYS] * WINDOWS)
    assert recognition.words[-1].end_s > 45
    assert all(segment.end_s <= len(minute) / 16_000 for segment in recognition.segments)


def test_a_closed_engine_loads_again(batched, speech):
    batched.close()

    assert batched.recognize(speech[0], language="en").text == SAYS


@pytest.mark.parametrize("is_partial", [False, True])
def test_segments_are_told_window_by_window(single, is_partial):
    minute = np.concatenate([spoken("I worked on a large project for two years.", pause_s=2.0)] * 14)
    told, generated_before = [], []
    model = watched(single)

    def on_segments(segments):
        told.append(segments)
        generated_before.append(len(model.sizes("generate")))

    recognition = single.recognize(minute, language="en", is_partial=is_partial, on_segments=on_segments)

    assert len(told) == WINDOWS
    assert tuple(segment for segments in told for segment in segments) == recognition.segments
    assert generated_before == [1, 2, 3, 4]


def test_segments_of_a_batch_are_told_in_order(batched):
    minute = np.concatenate([spoken("I worked on a large project for two years.", pause_s=2.0)] * 14)
    told = []

    recognition = batched.recognize(minute, language="en", on_segments=told.extend)

    assert tuple(told) == recognition.segments


def test_nothing_is_told_of_silence(single):
    told = []

    single.recognize(np.zeros(RATE_HZ, np.float32), language="en", on_segments=told.append)

    assert told == []


def noise(seconds, loudness, low_pass=1):
    """float32: white noise, or with `low_pass` room noise, of that standard deviation."""
    white = np.random.default_rng(0).normal(0, 1, seconds * RATE_HZ + low_pass)
    smooth = np.convolve(white, np.ones(low_pass) / low_pass, "same")[: seconds * RATE_HZ]
    return (smooth * loudness / smooth.std()).astype(np.float32)


def hum(seconds, loudness):
    return (loudness * np.sin(2 * np.pi * 50 * np.arange(seconds * RATE_HZ) / RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize(
    "audio",
    [np.zeros(30 * RATE_HZ, np.float32), noise(30, 0.003), noise(30, 0.01, low_pass=40), hum(30, 0.02)],
    ids=["silence", "hiss", "rumble", "mains hum"],
)
@pytest.mark.parametrize("is_partial", [False, True])
def test_half_a_minute_without_speech_gives_no_text_though_the_model_would_say_some(
    single, audio, is_partial
):
    decoder = single._loaded.decoder
    invented = decoder.run(Kind("en"), [decoder.input_of(audio)])[0].decoded.text

    recognition = single.recognize(audio, language="en", is_partial=is_partial)

    assert invented == SAYS
    assert (recognition.text, recognition.segments) == ("", ())


def test_hot_words_stand_in_the_prompt(single, speech):
    model = watched(single)

    single.recognize(speech[0], language="en", hot_words=" Kafka, Kubernetes ")
    single.recognize(speech[0], language="en")

    decode = single._loaded.decoder.whisper.hf_tokenizer.decode
    prompts = [
        decode(args[1][0], skip_special_tokens=False) for name, args in model.calls if name == "generate"
    ]
    assert "<|startofprev|> Kafka, Kubernetes<|startoftranscript|><|en|><|transcribe|>" in prompts[0]
    assert "Kafka" not in prompts[1]


def test_each_word_has_the_probability_of_its_tokens(single, speech):
    words = single.recognize(speech[0], language="en").words

    assert len(words) == len(SAYS.split())
    assert [word.confidence for word in words] == pytest.approx([1.0] * len(words), abs=0.01)


def test_a_language_is_detected_only_when_none_is_given_and_in_the_same_encoding(single, speech):
    model = watched(single)

    single.recognize(speech[0], language="en")
    assert [name for name, _ in model.calls] == ["encode", "generate", "align"]
    model.calls.clear()
    single.recognize(speech[0], language=None)

    assert [name for name, _ in model.calls] == ["encode", "detect_language", "generate", "align"]


def test_a_long_recording_is_asked_for_its_language_once(single):
    minute = np.concatenate([spoken("I worked on a large project for two years.", pause_s=2.0)] * 14)
    model = watched(single)

    assert single.recognize(minute, language=None).language == "de"

    assert len(model.sizes("detect_language")) == 1
    assert len(model.sizes("generate")) == WINDOWS


def test_speakers_of_different_languages_are_decoded_each_in_their_own(single, speech):
    decoder = single._loaded.decoder
    inputs = [decoder.input_of(samples) for samples in speech]
    model = watched(single)
    detected = [[("<|en|>", 0.9)], [("<|fr|>", 0.8)], [("<|en|>", 0.7)]]
    model.detect_language = lambda encoded: detected

    heard = decoder.run(Kind(None), inputs)

    assert [(h.language.code, h.language.probability) for h in heard] == [
        ("en", 0.9),
        ("fr", 0.8),
        ("en", 0.7),
    ]
    assert [h.decoded.text for h in heard] == [SAYS] * 3
    assert sorted(model.sizes("generate")) == [1, 2]


def test_a_failure_of_the_model_names_the_way_out(single, speech):
    def fail(name):
        raise RuntimeError("cuDNN has gone")

    watched(single, fail)

    with pytest.raises(EngineUnavailable, match=r"cuDNN has gone.*smaller WHISPER_MODEL"):
        single.recognize(speech[0], language="en")


def test_a_decoding_that_repeats_itself_is_tried_again_hotter(single, speech, monkeypatch):
    decoder, temperatures = single._loaded.decoder, []
    generate = decoder._generated

    def stubborn(tokenizer, encoded, kind, n_items):
        temperatures.append(kind.temperature)
        return generate(tokenizer, encoded, kind, n_items)

    monkeypatch.setattr(decoder, "_generated", stubborn)
    monkeypatch.setattr("voice.engines.stt.whisper_text.REPETITIVE_COMPRESSION", 0.1)

    assert single.recognize(speech[0], language="en").text == SAYS
    assert temperatures == [0.0, 0.0, 0.4, 0.8]  # the second in 30 s


def test_a_partial_is_tried_once(single, speech, monkeypatch):
    monkeypatch.setattr("voice.engines.stt.whisper_text.REPETITIVE_COMPRESSION", 0.1)
    monkeypatch.setattr(LoadedWhisper, "_best", None)

    assert single.recognize(speech[0], language="en", is_partial=True).words == ()


@pytest.fixture
def hanging(model_dir):
    """An engine whose model hangs until `release` is set."""
    engine = FasterWhisper(str(model_dir), device="cpu", slots=1, deadline_s=0.2)
    engine.load()
    engine.release = threading.Event()

    def hang(name):
        if name == "generate":
            assert engine.release.wait(120)

    watched(engine, hang)
    yield engine
    engine.release.set()
    engine.close()


def test_a_model_that_hangs_lets_its_caller_go(hanging, speech):
    with pytest.raises(TransientFailure, match="has not returned"):
        hanging.recognize(speech[0], language="en")

    assert hanging.is_stuck


def test_while_the_model_hangs_no_thread_is_added(hanging, speech):
    before = threading.active_count()

    for _ in range(3):
        with pytest.raises(TransientFailure):
            hanging.recognize(speech[0], language="en")

    assert threading.active_count() == before


def test_a_model_that_comes_back_serves_again(model_dir, speech):
    engine = FasterWhisper(str(model_dir), device="cpu", deadline_s=120.0)
    engine.load()
    came_back, calls = threading.Event(), []

    def slow_once(name):
        calls.append(name)
        if len(calls) == 1:
            assert came_back.wait(120)

    watched(engine, slow_once)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(engine.recognize, speech[0], language="en")
        came_back.set()
        assert first.result(120).text == SAYS

    assert not engine.is_stuck
    assert engine.recognize(speech[0], language="en").text == SAYS
    engine.close()


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


def decoded(text="Hi.", words=(), avg_logprob=-0.1, no_speech_prob=0.0, compression=1.0, end_s=None):
    return Decoded(text, words, avg_logprob, no_speech_prob, compression, end_s)


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


@pytest.mark.parametrize(
    ("result", "is_doubtful"),
    [
        (decoded(), False),
        (decoded(end_s=5.5), False),
        (decoded(end_s=8.0), True),
        (decoded(end_s=2.0), True),
        (decoded(avg_logprob=-1.5, no_speech_prob=0.9), True),
        (decoded(compression=3.0), True),
        (decoded("and so and so and so on"), True),
        (decoded("and so and so on"), False),
    ],
)
def test_what_is_doubted_of_a_window_of_five_seconds(result, is_doubtful):
    assert result.is_doubtful(5.0) == is_doubtful


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
