"""Chatterbox with a fake of its package, and the fake against the real package if installed."""

import importlib.util
import inspect
import sys

import numpy as np
import pytest

from tests.voice.engines.tts import chatterbox_package as fake
from voice.audio.encoding import encode_flac
from voice.audio.pcm import s16le_from_samples
from voice.engines.base import SynthesisEngine
from voice.engines.tts.chatterbox import LANGUAGES, WEIGHTS, Chatterbox
from voice.errors import (
    EngineUnavailable,
    LanguageUnsupported,
    RequestRefused,
    SynthesisFailed,
    VoiceUnavailable,
)

IS_REAL = importlib.util.find_spec("chatterbox") is not None


def recording(seconds):
    tone = 0.3 * np.sin(np.arange(seconds * 24_000) / 20).astype(np.float32)
    return encode_flac(s16le_from_samples(tone), rate_hz=24_000)


@pytest.fixture
def package(monkeypatch):
    for name, module in fake.modules().items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def model_dir(tmp_path):
    for name in (*WEIGHTS, "conds.pt"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def references():
    return fake.MemoryReferences(anna=recording(4), bert=recording(5))


@pytest.fixture
def chatterbox(package, model_dir, references):
    engine = Chatterbox(str(model_dir), device="cpu", references=references)
    engine.load()
    return engine


def said(engine, voice=None, text="Hello.", language="en", **options):
    return list(engine.synthesize(text, voice=voice, language=language, **options))


def calls(engine):
    return engine._weights.calls


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "chatterbox", None)
    engine = Chatterbox()

    assert engine.voices() == ()
    with pytest.raises(EngineUnavailable, match=r"extra \[chatterbox\]"):
        engine.load()


def test_missing_weights_are_named(package, tmp_path):
    with pytest.raises(EngineUnavailable, match=r"ve\.pt.*ResembleAI/chatterbox"):
        Chatterbox(str(tmp_path), device="cpu").load()


def test_it_keeps_the_protocol_and_speaks_23_languages(chatterbox):
    assert isinstance(chatterbox, SynthesisEngine)
    assert len({voice.language for voice in chatterbox.voices()}) == len(LANGUAGES) == 23


def test_each_sentence_is_spoken_in_the_language_with_its_own_voice(chatterbox):
    chunks = said(chatterbox, text="Guten Tag. Wie geht es?", language="de-DE")

    assert [chunk.text for chunk in chunks] == ["Guten Tag.", "Wie geht es?"]
    assert all(chunk.samples.dtype == np.float32 and chunk.sample_rate_hz == 24_000 for chunk in chunks)
    assert calls(chatterbox) == [("Guten Tag.", "de", 0.5, 0), ("Wie geht es?", "de", 0.5, 0)]


def test_a_cloned_voice_speaks_as_its_recording(chatterbox):
    said(chatterbox, voice="chatterbox:en#anna")
    said(chatterbox, voice="chatterbox:fr#bert", text="Salut.")
    said(chatterbox)

    assert [call[1:] for call in calls(chatterbox)] == [
        ("en", 0.5, 4 * 24_000),
        ("fr", 0.5, 5 * 24_000),
        ("en", 0.5, 0),
    ]


def test_an_embedding_is_computed_once(chatterbox, references):
    for voice in ("anna", "bert", "anna"):
        said(chatterbox, voice=f"chatterbox:en#{voice}")

    assert chatterbox._weights.derived == 2
    assert references.read == ["anna", "bert"]


def test_an_embedding_of_another_process_is_taken(chatterbox, references, model_dir):
    said(chatterbox, voice="chatterbox:en#anna")
    other = Chatterbox(str(model_dir), device="cpu", references=references)

    said(other, voice="chatterbox:en#anna")

    assert other._weights.derived == 0
    assert calls(other)[0][3] == 4 * 24_000


def test_memory_keeps_the_voices_used_last(chatterbox, references, monkeypatch):
    monkeypatch.setattr("voice.engines.tts.chatterbox.KEPT_IN_MEMORY", 2)
    references.recordings["carl"] = recording(3)

    for voice in ("anna", "bert", "anna", "carl"):
        said(chatterbox, voice=f"chatterbox:en#{voice}")

    assert list(chatterbox._embeddings) == ["sha-anna", "sha-carl"]


def test_a_voice_that_was_erased_speaks_no_more(chatterbox, references):
    said(chatterbox, voice="chatterbox:en#anna")
    del references.recordings["anna"]

    with pytest.raises(RequestRefused, match="no such voice"):
        said(chatterbox, voice="chatterbox:en#anna")


def test_without_references_there_are_no_cloned_voices(package, model_dir):
    with pytest.raises(RequestRefused, match="no such voice"):
        said(Chatterbox(str(model_dir), device="cpu"), voice="chatterbox:en#anna")


def test_emotion_makes_it_livelier_or_calmer(chatterbox):
    for emotion in ("Cheerful", "calm", "unheard of", None):
        said(chatterbox, emotion=emotion)

    assert [call[2] for call in calls(chatterbox)] == [0.65, 0.3, 0.5, 0.5]


def test_speed_is_honoured(chatterbox):
    text = "A sentence of some length, to be measured."

    normal, fast = (
        sum(c.duration_s for c in said(chatterbox, text=text, speed=speed)) for speed in (1.0, 2.0)
    )

    assert fast == pytest.approx(normal / 2, rel=0.1)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"text": "Fail."}, SynthesisFailed),
        ({"text": " "}, SynthesisFailed),
        ({"speed": 3.0}, SynthesisFailed),
        ({"language": "xx"}, LanguageUnsupported),
    ],
)
def test_what_it_cannot_speak_is_told(chatterbox, options, error):
    with pytest.raises(error):
        said(chatterbox, **options)


def test_a_recording_that_cannot_be_read_is_the_voices_fault(chatterbox, references, monkeypatch):
    def away(key):
        raise OSError("the store is away")

    monkeypatch.setattr(references, "recording", away)
    with pytest.raises(VoiceUnavailable, match="the store is away"):
        said(chatterbox, voice="chatterbox:en#anna")
    assert said(chatterbox)


def test_without_a_voice_of_its_own_it_speaks_only_as_others(package, model_dir, references):
    (model_dir / "conds.pt").unlink()
    engine = Chatterbox(str(model_dir), device="cpu", references=references)

    assert said(engine, voice="chatterbox:en#anna")
    with pytest.raises(VoiceUnavailable, match="cloned"):
        said(engine)


@pytest.mark.skipif(not IS_REAL, reason="the extra [chatterbox] is not installed")
def test_the_fake_has_the_signatures_of_the_package():
    from chatterbox import mtl_tts

    for name in ("from_local", "from_pretrained", "prepare_conditionals", "generate"):
        ours = inspect.signature(getattr(fake.ChatterboxMultilingualTTS, name))
        theirs = inspect.signature(getattr(mtl_tts.ChatterboxMultilingualTTS, name))
        assert list(ours.parameters.items()) == [
            (key, parameter.replace(annotation=inspect.Parameter.empty))
            for key, parameter in theirs.parameters.items()
        ]
    for name in ("to", "save", "load"):
        ours = inspect.signature(getattr(fake.Conditionals, name))
        theirs = inspect.signature(getattr(mtl_tts.Conditionals, name))
        assert list(ours.parameters) == list(theirs.parameters)
    assert set(mtl_tts.SUPPORTED_LANGUAGES) == set(LANGUAGES)
