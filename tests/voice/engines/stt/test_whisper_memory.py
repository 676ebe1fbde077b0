"""When a Whisper model runs out of memory, the next smaller one takes over, once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import faster_whisper
import numpy as np
import pytest

from tests.speech import spoken
from tests.standins import build_whisper
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.stt.whisper_loading import smaller_models
from voice.errors import EngineUnavailable

OUT_OF_MEMORY = "CUDA failed with error out of memory"
SIZES = ("large", "medium", "small")


@pytest.fixture(scope="module")
def sizes(tmp_path_factory):
    """Three directories; each model transcribes its own name."""
    root = tmp_path_factory.mktemp("sizes")
    return [str(build_whisper(root / size, say=f"{size} model heard this.")) for size in SIZES]


@pytest.fixture
def engine(sizes):
    engine = FasterWhisper(sizes[0], device="cpu", smaller=sizes[1:])
    yield engine
    engine.close()


@pytest.fixture
def loads(monkeypatch):
    """The loaded models; a name in `loads.too_large` does not fit into memory."""
    opened = faster_whisper.WhisperModel

    class Loads(list):
        too_large = ()

    loads = Loads()

    def limited(directory, **options):
        name = directory.rsplit("/", 1)[-1]
        loads.append(name)
        if name in loads.too_large:
            raise RuntimeError(OUT_OF_MEMORY)
        return opened(directory, **options)

    monkeypatch.setattr(faster_whisper, "WhisperModel", limited)
    return loads


@pytest.fixture(scope="module")
def speech():
    return spoken("I worked on a large project for two years.")


def run_out(engine, *, after=0, error=None):
    """Make the loaded model run out of memory after this many successful calls."""
    whisper = engine._loaded.decoder.whisper
    encode, calls = whisper.encode, []

    def limited(features):
        calls.append(len(features))
        if len(calls) > after:
            raise error or RuntimeError(OUT_OF_MEMORY)
        return encode(features)

    whisper.encode = limited


def test_a_model_that_does_not_fit_is_replaced_while_loading(engine, loads, sizes, speech):
    loads.too_large = ("large", "medium")

    engine.load()

    assert loads == ["large", "medium", "small"]
    assert engine.model == sizes[2]
    assert engine.notice.endswith(f"{sizes[2]} is loaded instead.")
    assert engine.notice.count(OUT_OF_MEMORY) == 2
    assert engine.recognize(speech, language="en").text == "small model heard this."


def test_when_no_model_fits_the_reasons_are_told_and_nothing_is_tried_in_a_loop(engine, loads):
    loads.too_large = SIZES

    with pytest.raises(EngineUnavailable, match=r"large.*medium.*small"):
        engine.load()

    assert loads == ["large", "medium", "small"]


def test_a_missing_model_is_no_reason_for_a_smaller_one(sizes, loads, tmp_path):
    with pytest.raises(EngineUnavailable, match="no directory"):
        FasterWhisper(str(tmp_path / "nowhere"), device="cpu", smaller=sizes).load()

    assert loads == []


def test_a_smaller_model_that_is_missing_is_passed_over(sizes, loads, tmp_path):
    loads.too_large = ("large",)
    engine = FasterWhisper(sizes[0], device="cpu", smaller=[str(tmp_path / "nowhere"), sizes[2]])

    engine.load()

    assert engine.model == sizes[2]
    assert "There is no directory" in engine.notice
    engine.close()


@pytest.mark.parametrize("error", [None, MemoryError()])
def test_memory_that_runs_out_in_a_call_costs_the_caller_nothing(engine, loads, sizes, speech, error):
    engine.load()
    run_out(engine, error=error)

    recognition = engine.recognize(speech, language="en")

    assert recognition.text == "medium model heard this."
    assert recognition.model == engine.model == sizes[1]
    assert loads == ["large", "medium"]
    assert "Memory ran out for Whisper" in engine.notice


def test_a_long_recording_goes_on_where_memory_ran_out(engine, loads, speech):
    minute = np.concatenate([speech, np.zeros(32_000, np.float32)] * 14)
    engine.load()
    run_out(engine, after=1)
    told = []

    recognition = engine.recognize(minute, language="en", on_segments=told.extend)

    assert recognition.text == " ".join(["large model heard this.", *["medium model heard this."] * 3])
    assert tuple(told) == recognition.segments


def test_callers_at_once_replace_the_model_once(engine, loads, speech):
    engine.load()
    run_out(engine)
    barrier = Barrier(4)

    def call(_):
        barrier.wait(120)
        return engine.recognize(speech, language="en").text

    with ThreadPoolExecutor(4) as threads:
        texts = list(threads.map(call, range(4)))

    assert texts == ["medium model heard this."] * 4
    assert loads == ["large", "medium"]


def test_without_a_smaller_model_the_loaded_one_stays(loads, sizes, speech):
    engine = FasterWhisper(sizes[0], device="cpu")
    engine.load()
    encode = engine._loaded.decoder.whisper.encode
    run_out(engine)

    with pytest.raises(EngineUnavailable, match=r"out of memory.*smaller WHISPER_MODEL"):
        engine.recognize(speech, language="en")

    engine._loaded.decoder.whisper.encode = encode
    assert engine.recognize(speech, language="en").text == "large model heard this."
    assert loads == ["large"]
    engine.close()


def test_a_smaller_model_stays_when_the_engine_is_loaded_again(engine, loads, sizes, speech):
    engine.load()
    run_out(engine)
    engine.recognize(speech, language="en")
    engine.close()

    assert engine.recognize(speech, language="en").model == sizes[1]


@pytest.mark.parametrize(
    ("model", "smaller"),
    [
        ("large-v3", ("medium", "small", "base", "tiny")),
        ("large-v3-turbo", ("small", "base", "tiny")),
        ("turbo", ("small", "base", "tiny")),
        ("Systran/faster-whisper-large-v2", ("medium", "small", "base", "tiny")),
        ("Systran/faster-distil-whisper-large-v3", ("small", "base", "tiny")),
        ("distil-whisper/distil-large-v3.5-ct2", ("small", "base", "tiny")),
        ("medium.en", ("small.en", "base.en", "tiny.en")),
        ("distil-small.en", ("tiny.en",)),
        ("base", ("tiny",)),
        ("tiny", ()),
        ("someone/fine-tuned", ()),
        ("./whisper", ()),
    ],
)
def test_the_name_of_a_model_leads_to_the_smaller_ones(model, smaller):
    assert smaller_models(model, ()) == smaller


def test_the_operators_own_list_comes_first():
    assert smaller_models("large-v3", ("a", "b")) == ("a", "b")
    assert smaller_models("a", ("a", "b")) == ("b",)
    assert smaller_models("b", ("a", "b")) == ()
