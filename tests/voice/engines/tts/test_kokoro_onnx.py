"""Kokoro on ONNX Runtime: on a stand-in its runtime and symbols, with real weights its speech."""

import contextlib
import sys

import numpy as np
import pytest

from tests import real_models
from tests.sounds import resample
from tests.speech import word_error_rate
from tests.standins import build_onnx_kokoro
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.tts import kokoro_symbols
from voice.engines.tts.kokoro import Kokoro
from voice.engines.tts.kokoro_symbols import symbols
from voice.errors import EngineUnavailable, LanguageUnsupported, SynthesisFailed, VoiceUnavailable


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Files of a stand-in; the package `kokoro` is not installed."""
    monkeypatch.setitem(sys.modules, "kokoro", None)
    return build_onnx_kokoro(tmp_path / "kokoro", ("af_heart", "af_bella", "ef_dora", "jf_alpha"))


def said(kokoro, text="Hello.", voice=None, language="en", speed=1.0):
    return list(kokoro.synthesize(text, voice=voice, language=language, speed=speed))


def peak(chunks):
    return max(float(np.abs(chunk.samples).max()) for chunk in chunks)


@pytest.mark.parametrize("setting", ["model_dir", "onnx_dir"])
def test_without_pytorch_the_onnx_files_speak(folder, setting):
    kokoro = Kokoro(**{setting: str(folder)})
    kokoro.load()

    assert said(kokoro)
    assert (kokoro.model, kokoro.device) == ("kokoro-v1.0.int8", "cpu")


def test_files_that_come_later_are_seen(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kokoro", None)
    kokoro = Kokoro(onnx_dir=str(tmp_path / "kokoro"))
    assert kokoro.voices() == ()
    with pytest.raises(EngineUnavailable, match="fetch_models"):
        kokoro.load()

    build_onnx_kokoro(tmp_path / "kokoro", ("af_heart",))

    assert said(kokoro)


def test_voices_are_those_with_a_file_that_espeak_can_read_for(folder):
    assert [voice.name for voice in Kokoro(str(folder)).voices()] == ["af_heart", "af_bella", "ef_dora"]


def test_there_is_no_german_voice(folder):
    with pytest.raises(LanguageUnsupported):
        said(Kokoro(str(folder)), language="de")


def test_a_blend_is_the_weighted_mean(folder):
    assert peak(said(Kokoro(str(folder)), voice="kokoro:af_heart:3+af_bella:1")) == pytest.approx(
        0.125, rel=0.01
    )


def test_a_text_beyond_the_model_is_spoken_in_pieces(folder):
    (chunk,) = said(Kokoro(str(folder)), text="1234567 " * 20)

    assert chunk.duration_s > 0.05 * kokoro_symbols.LIMIT


def test_pieces_keep_to_the_limit_and_lose_nothing():
    for text in ("a" * 2000, "word " * 300, "a clause, " * 200):
        pieces = kokoro_symbols.pieces(text.strip())

        assert max(map(len, pieces)) <= kokoro_symbols.LIMIT
        assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_a_damaged_voice_is_blamed(folder):
    (folder / "voices" / "af_heart.bin").write_bytes(b"short")

    with pytest.raises(VoiceUnavailable, match="choose another"):
        said(Kokoro(str(folder)))


def test_a_damaged_model_says_so(folder):
    (folder / "kokoro-v1.0.int8.onnx").write_bytes(b"no model")

    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        Kokoro(str(folder)).load()


def test_a_text_of_signs_alone_has_no_sound(folder):
    assert said(Kokoro(str(folder)), text="…") == []
    with pytest.raises(SynthesisFailed):
        said(Kokoro(str(folder)), text=" ")


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hello, world!", "en-US", "həlˈO, wˈɜɹld!"),
        ("Later.", "en-US", "lˈATəɹ."),
        ("Go home.", "en-GB", "ɡˌQ hˈQm."),
        ("Mr. Church paid 3.5 and 1,000.", "en-GB", None),
        ("¿Cómo?", "es", "kˈomo?"),
        ("«Bonjour»", "fr-FR", "“bɔ̃ʒˈuʁ”"),
        ("नमस्ते।", "hi", "nəmˈʌsteː."),
        ("...", "en-US", ""),
    ],
)
def test_letters_become_symbols(text, language, expected):
    found = symbols(text, language)

    assert set(found) <= set(kokoro_symbols.NUMBERS)
    if expected is not None:
        assert found == expected
    else:
        assert found.count(".") == 1
        assert "," not in found


QUESTIONS = [
    ("af_heart", "What would you do differently today?"),
    ("bm_george", "Tell me about a project that you are proud of."),
    ("em_alex", "¿Cómo trabajaría usted con un equipo que vive en otros países?"),
    ("pf_dora", "Como você trabalharia com uma equipe que mora em outros países?"),
    ("if_sara", "Quali sono state le difficoltà più grandi?"),
    ("ff_siwis", "Quelles ont été les plus grandes difficultés de ce projet ?"),
]


@pytest.fixture(scope="module")
def ears():
    with contextlib.closing(FasterWhisper(str(real_models.whisper("base")), device="cpu")) as whisper:
        yield whisper


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "question"), [QUESTIONS[0], *(pytest.param(*q, marks=pytest.mark.proof) for q in QUESTIONS[1:])]
)
def test_whisper_understands_real_speech(ears, name, question):
    kokoro = Kokoro(str(real_models.kokoro()))
    voice = next(voice for voice in kokoro.voices() if voice.name == name)

    (chunk,) = said(kokoro, question, voice.id, voice.language)
    heard = ears.recognize(resample(chunk.samples, 24_000, 16_000), language=voice.language)

    assert word_error_rate(question, heard.text) <= 0.15  # at most one word, such as an ending of French
