"""Kokoro's own loading and inference, on small random weights; needs the extra `kokoro`."""

import importlib.util

import numpy as np
import pytest

from tests.standins import build_kokoro
from voice.engines.tts.kokoro import Kokoro
from voice.engines.tts.kokoro_torch import ENGLISH_MODEL
from voice.errors import EngineUnavailable, LanguageUnsupported

pytest.importorskip("torch", reason="the extra [kokoro] is not installed")
pytest.importorskip("kokoro", reason="the extra [kokoro] is not installed")
pytestmark = pytest.mark.filterwarnings("default")  # warnings of PyTorch and related packages


@pytest.fixture(scope="module")
def kokoro(tmp_path_factory):
    directory = build_kokoro(tmp_path_factory.mktemp("kokoro") / "model", ("ef_dora", "em_alex", "af_heart"))
    engine = Kokoro(str(directory), device="cpu")
    engine.load()
    return engine


def said(kokoro, voice="kokoro:ef_dora", text="Hola. Cuéntame algo de tu trabajo.", speed=1.0):
    return list(kokoro.synthesize(text, voice=voice, language="es", speed=speed))


def n_samples(chunks):
    return sum(len(chunk.samples) for chunk in chunks)


def test_the_voices_are_those_whose_files_are_there(kokoro):
    assert [voice.name for voice in kokoro.voices()] == ["af_heart", "ef_dora", "em_alex"]


def test_each_sentence_is_a_chunk_of_sound(kokoro):
    chunks = said(kokoro)

    assert [chunk.text for chunk in chunks] == ["Hola.", "Cuéntame algo de tu trabajo."]
    for chunk in chunks:
        assert chunk.samples.dtype == np.float32
        assert np.isfinite(chunk.samples).all()
        assert 0 < np.abs(chunk.samples).max() <= 1
        assert chunk.sample_rate_hz == 24_000


def test_speed_shortens(kokoro):
    assert n_samples(said(kokoro, speed=2.0)) == pytest.approx(n_samples(said(kokoro)) / 2, rel=0.3)


def test_a_blend_is_the_weighted_mean_of_the_voices(kokoro):
    said(kokoro, voice="kokoro:ef_dora:3+em_alex:1")
    pipeline = kokoro._torch._pipelines["e"]
    dora, alex = (
        pipeline.load_single_voice(kokoro._torch._voice_source(name)) for name in ("ef_dora", "em_alex")
    )

    style = kokoro._torch._style(pipeline, {"ef_dora": 3.0, "em_alex": 1.0})

    assert np.allclose(style.numpy(), (0.75 * dora + 0.25 * alex).numpy(), atol=1e-6)


def test_a_language_without_a_voice_is_refused(kokoro):
    with pytest.raises(LanguageUnsupported):
        list(kokoro.synthesize("Bonjour.", voice=None, language="fr"))


@pytest.mark.skipif(importlib.util.find_spec(ENGLISH_MODEL) is not None, reason="spaCy's English is there")
def test_english_without_its_package_downloads_nothing(kokoro):
    with pytest.raises(EngineUnavailable, match="spacy download"):
        list(kokoro.synthesize("Hello.", voice="kokoro:af_heart", language="en"))


def test_damaged_weights_say_so(tmp_path, kokoro):
    for name in ("config.json", "kokoro-v1_0.pth"):
        (tmp_path / name).write_bytes(b"{}")

    with pytest.raises(EngineUnavailable, match="KOKORO_MODEL"):
        Kokoro(str(tmp_path), device="cpu").load()
