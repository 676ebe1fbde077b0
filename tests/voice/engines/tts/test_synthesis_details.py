"""Behaviour of single synthesis engines beyond their contract."""

import importlib.machinery
import json
import sys
import types
from pickle import UnpicklingError

import numpy as np
import pytest

from tests.standins import build_piper_voice
from voice.engines.tts.espeak import Espeak, _started
from voice.engines.tts.kokoro import Kokoro
from voice.engines.tts.kokoro_torch import ENGLISH_MODEL
from voice.engines.tts.kokoro_voices import VOICES, blend_of
from voice.engines.tts.piper import Piper
from voice.errors import EngineUnavailable, LanguageUnsupported, SynthesisFailed, VoiceUnavailable


def test_piper_without_voices_names_the_directory(tmp_path):
    piper = Piper(tmp_path / "voices")

    assert piper.voices() == ()
    with pytest.raises(EngineUnavailable, match=r"voices.*PIPER_VOICES_DIR"):
        piper.load()
    with pytest.raises(EngineUnavailable, match="PIPER_VOICES_DIR"):
        piper.synthesize("Hi.", voice=None, language="en")


def test_piper_ignores_a_model_without_its_config(tmp_path):
    (tmp_path / "en_US-half-low.onnx").write_bytes(b"")

    assert Piper(tmp_path).voices() == ()


def test_piper_chooses_among_languages_and_sees_voices_that_come_later(tmp_path):
    build_piper_voice(tmp_path, "de_DE-anna-medium", "de_DE")
    piper = Piper(tmp_path)
    with pytest.raises(LanguageUnsupported):
        piper.synthesize("Hi.", voice=None, language="en")

    build_piper_voice(tmp_path)

    assert [voice.language for voice in piper.voices()] == ["de-DE", "en-US"]
    assert list(piper.synthesize("Hi.", voice=None, language="en"))
    assert list(piper.synthesize("Hallo.", voice=None, language="de_DE"))


def test_piper_loads_a_voice_once(tmp_path, monkeypatch):
    build_piper_voice(tmp_path)
    piper = Piper(tmp_path)
    list(piper.synthesize("Hi.", voice=None, language="en"))
    monkeypatch.setattr("voice.engines.tts.piper.one_thread_session", None)

    assert list(piper.synthesize("Hi again.", voice=None, language="en"))


@pytest.fixture(scope="module")
def choir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("choir")
    build_piper_voice(directory, "en_US-choir-medium", speakers=("zoe", "adam"))
    return Piper(directory)


def pitch_hz(piper, voice):
    (chunk,) = piper.synthesize("Hello.", voice=voice, language="en")
    spectrum = np.abs(np.fft.rfft(chunk.samples))
    return np.argmax(spectrum) * chunk.sample_rate_hz / len(chunk.samples)


def test_piper_names_the_speakers_of_a_voice_in_their_order(choir):
    (voice,) = choir.voices()

    assert (voice.id, voice.speakers) == ("piper:en_US-choir-medium", ("zoe", "adam"))


@pytest.mark.parametrize(
    ("speaker", "expected_hz"),
    [("", 200), ("#zoe", 200), ("#adam", 400), ("#1", 400), ("#nobody", 200), ("#7", 200)],
)
def test_piper_speaks_as_the_speaker_that_the_id_names(choir, speaker, expected_hz):
    assert pitch_hz(choir, f"piper:en_US-choir-medium{speaker}") == pytest.approx(expected_hz, abs=5)


def test_a_speaker_without_a_name_has_a_number(tmp_path):
    model = build_piper_voice(tmp_path, speakers=("zoe", "adam"))
    config = model.with_name(f"{model.name}.json")
    config.write_text(json.dumps(json.loads(config.read_text()) | {"speaker_id_map": {}}))

    assert Piper(tmp_path).voices()[0].speakers == ("0", "1")


@pytest.mark.parametrize("config", ["no json", json.dumps({"audio": {"sample_rate": 22_050}})])
def test_a_damaged_piper_config_says_so(tmp_path, config):
    model = build_piper_voice(tmp_path)
    model.with_name(f"{model.name}.json").write_text(config)

    with pytest.raises(VoiceUnavailable, match="fetch"):
        list(Piper(tmp_path).synthesize("Hi.", voice=None, language="en-US"))


def test_a_damaged_piper_model_says_so(tmp_path):
    build_piper_voice(tmp_path).write_bytes(b"no model")

    with pytest.raises(VoiceUnavailable, match="cannot be loaded"):
        list(Piper(tmp_path).synthesize("Hi.", voice=None, language="en"))


def test_a_damaged_piper_voice_leaves_the_others_alone(tmp_path):
    model = build_piper_voice(tmp_path, "de_DE-anna-medium", "de_DE")
    model.with_name(f"{model.name}.json").write_text("no json")
    build_piper_voice(tmp_path)
    piper = Piper(tmp_path)

    assert [voice.language for voice in piper.voices()] == ["de-DE", "en-US"]
    assert list(piper.synthesize("Hi.", voice=None, language="en"))


def test_a_voice_that_espeak_has_lost_says_so(monkeypatch):
    espeak = Espeak()
    chosen = espeak.voices()[0]
    monkeypatch.setitem(_started().names, chosen, b"nobody")

    with pytest.raises(VoiceUnavailable, match="choose another"):
        list(espeak.synthesize("Hi.", voice=chosen.id, language=chosen.language))


@pytest.mark.parametrize(
    ("language", "voice"),
    [("en", "espeak:en-us"), ("en-GB", "espeak:en-gb"), ("zh-CN", "espeak:cmn"), ("no", "espeak:nb")],
)
def test_espeak_speaks_a_language_under_its_usual_tags(language, voice):
    espeak = Espeak()
    by_language = sum(len(c.samples) for c in espeak.synthesize("Tak. 你好。", voice=None, language=language))
    by_voice = sum(len(c.samples) for c in espeak.synthesize("Tak. 你好。", voice=voice, language="en"))

    assert by_language == pytest.approx(by_voice, rel=0.05)


def test_espeak_knows_a_hundred_languages():
    assert len(Espeak().voices()) > 100


def test_kokoro_has_54_voices_of_8_languages():
    assert len(VOICES) == 54
    assert len({voice.language.split("-")[0] for voice in VOICES}) == 8


def test_kokoro_that_is_not_installed_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "kokoro", None)

    with pytest.raises(EngineUnavailable, match=r"extra \[kokoro\]"):
        Kokoro().load()


class Tensor:
    def numpy(self, force):
        return np.full(2400, 1.5, np.float32)


@pytest.fixture
def kokoro(tmp_path, monkeypatch):
    """Kokoro with a directory of empty files and a library that only records its calls."""
    (tmp_path / "voices").mkdir()
    voices = [f"voices/{name}.pt" for name in ("af_heart", "af_bella", "ff_siwis")]
    for name in ("config.json", "kokoro-v1_0.pth", *voices):
        (tmp_path / name).touch()
    library, asked = types.ModuleType("kokoro"), []

    class KModel:
        def __init__(self, **files):
            asked.append(("model", files["model"]))

        def to(self, device):
            return self

        def eval(self):
            return self

    class KPipeline:
        def __init__(self, letter, repo_id, model):
            asked.append(("pipeline", letter))

        def load_single_voice(self, path):
            return np.array(
                [float(path.endswith(f"{name}.pt")) for name in ("af_heart", "af_bella", "ff_siwis")]
            )

        def __call__(self, text, voice, speed):
            if text == "Fail.":
                raise RuntimeError("no memory")
            asked.append((text, voice.tolist(), speed))
            return [types.SimpleNamespace(audio=Tensor()), types.SimpleNamespace(audio=None)]

    library.KModel, library.KPipeline = KModel, KPipeline
    library.__spec__ = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "kokoro", library)
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    english = types.ModuleType(ENGLISH_MODEL)
    english.__spec__ = importlib.machinery.ModuleSpec(ENGLISH_MODEL, None)
    monkeypatch.setitem(sys.modules, ENGLISH_MODEL, english)
    engine = Kokoro(str(tmp_path), device="cpu")
    engine.asked = asked
    return engine


def test_kokoro_speaks_each_sentence_with_the_voice_of_the_language(kokoro):
    chunks = list(kokoro.synthesize("Salut. Ça va?", voice=None, language="fr", speed=1.5))

    assert [chunk.text for chunk in chunks] == ["Salut.", "Ça va?"]
    assert chunks[0].samples.tolist() == [1.0] * 2400
    assert chunks[0].sample_rate_hz == 24_000
    assert kokoro.asked[1:] == [
        ("pipeline", "f"),
        ("Salut.", [0, 0, 1], 1.5),
        ("Ça va?", [0, 0, 1], 1.5),
    ]


@pytest.mark.parametrize(
    ("voice", "style"),
    [
        ("kokoro:af_heart+af_bella", [0.5, 0.5, 0]),
        ("kokoro:af_heart:3+af_bella:1", [0.75, 0.25, 0]),
        ("kokoro:af_heart+af_nobody", [1, 0, 0]),
        ("kokoro:af_heart:0", [1, 0, 0]),
    ],
)
def test_kokoro_blends_voices_by_weight(kokoro, voice, style):
    list(kokoro.synthesize("Hi.", voice=voice, language="en"))

    assert kokoro.asked[-1] == ("Hi.", style, 1.0)


@pytest.mark.parametrize(
    ("voice", "blend"),
    [
        ("kokoro:a", {"a": 1.0}),
        ("kokoro:a:0.7+b:0.3", {"a": 0.7, "b": 0.3}),
        ("kokoro:a+a:2", {"a": 3.0}),
        ("kokoro:a:nan+b:-1", {}),
        ("kokoro:", {}),
    ],
)
def test_a_blend_is_read_from_the_id(voice, blend):
    assert blend_of(voice, {"a", "b"}) == blend


def test_kokoro_without_its_english_names_the_package(kokoro, monkeypatch):
    monkeypatch.setitem(sys.modules, ENGLISH_MODEL, None)

    with pytest.raises(EngineUnavailable, match=f"spacy download {ENGLISH_MODEL}"):
        list(kokoro.synthesize("Hi.", voice=None, language="en"))


def test_kokoro_offers_the_voices_that_are_there(kokoro):
    assert [voice.id for voice in kokoro.voices()] == [
        "kokoro:af_heart",
        "kokoro:af_bella",
        "kokoro:ff_siwis",
    ]


def test_kokoro_that_fails_says_so(kokoro):
    with pytest.raises(SynthesisFailed, match="no memory"):
        list(kokoro.synthesize("Fail.", voice=None, language="en"))


def test_kokoro_that_cannot_load_a_voice_blames_the_voice(kokoro, monkeypatch):
    def damaged(pipeline, path):
        raise UnpicklingError("unexpected end")

    monkeypatch.setattr(sys.modules["kokoro"].KPipeline, "load_single_voice", damaged)
    with pytest.raises(VoiceUnavailable, match="choose another"):
        list(kokoro.synthesize("Hi.", voice=None, language="en"))


def test_kokoro_without_its_weights_names_them(tmp_path, kokoro):
    with pytest.raises(EngineUnavailable, match=r"kokoro-v1_0\.pth.*missing"):
        Kokoro(str(tmp_path / "empty"), device="cpu").load()
