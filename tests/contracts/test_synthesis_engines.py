"""What every synthesis engine does: the fake, and the real ones on what this machine has."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.fakes import FakeSynthesis
from voice.engines.base import LanguageUnsupported, SynthesisEngine, SynthesisFailed
from voice.engines.espeak import Espeak
from voice.engines.piper import Piper

TEXT = "Hello. Tell me about your last project, please!"


@pytest.fixture(scope="module", params=["fake", "piper", "espeak"])
def engine(request):
    makers = {
        "fake": FakeSynthesis,
        "espeak": Espeak,
        "piper": lambda: Piper(request.getfixturevalue("piper_voices")),
    }
    engine = makers[request.param]()
    engine.load()
    return engine


def said(engine, text=TEXT, voice=None, language="en", speed=1.0):
    return list(engine.synthesize(text, voice=voice, language=language, speed=speed))


def duration_s(chunks):
    return sum(chunk.duration_s for chunk in chunks)


def test_an_engine_keeps_the_protocol(engine):
    assert isinstance(engine, SynthesisEngine)
    assert engine.name
    assert engine.model
    assert engine.device in ("cpu", "cuda")


def test_loading_again_does_no_harm(engine):
    engine.load()

    assert engine.voices()


def test_voices_have_ids_of_their_engine_and_differ(engine):
    voices = engine.voices()

    assert all(voice.id.startswith(f"{engine.name}:") and voice.engine == engine.name for voice in voices)
    assert len({voice.id for voice in voices}) == len(voices)
    assert all(voice.sample_rate_hz >= 8000 and "_" not in voice.language for voice in voices)
    assert all(voice.quality in ("neural", "last_resort") for voice in voices)


def test_each_sentence_is_one_chunk(engine):
    chunks = said(engine)

    assert [chunk.text for chunk in chunks] == ["Hello.", "Tell me about your last project, please!"]


def test_chunks_are_sound_in_range(engine):
    for chunk in said(engine):
        assert chunk.samples.dtype == np.float32
        assert chunk.samples.ndim == 1
        assert 0.01 < np.abs(chunk.samples).max() <= 1
        assert 0.1 < chunk.duration_s < 20


def test_the_first_sentence_comes_before_the_second_is_made(engine):
    chunks = engine.synthesize(TEXT, voice=None, language="en")

    assert next(iter(chunks)).text == "Hello."


def test_the_same_text_lasts_as_long_again(engine):
    # not the same samples: most voices draw a little noise
    assert duration_s(said(engine)) == pytest.approx(duration_s(said(engine)), rel=0.05)


@pytest.mark.parametrize("language", ["en", "en-US", "en_US", "EN"])
def test_a_language_is_found_in_any_spelling(engine, language):
    assert said(engine, language=language)


def test_a_voice_is_chosen_by_its_id(engine):
    voice = engine.voices()[0]

    assert said(engine, voice=voice.id, language=voice.language)


def test_a_voice_of_another_engine_leaves_the_choice_to_the_language(engine):
    by_language, by_voice = said(engine), said(engine, voice="elsewhere:someone")

    assert [chunk.text for chunk in by_voice] == [chunk.text for chunk in by_language]


def test_twice_the_speed_takes_about_half_the_time(engine):
    assert duration_s(said(engine, speed=2.0)) == pytest.approx(duration_s(said(engine)) / 2, rel=0.3)


@pytest.mark.parametrize("speed", [0, 0.4, 3, -1])
def test_a_speed_nobody_understands_is_refused(engine, speed):
    with pytest.raises(SynthesisFailed):
        said(engine, speed=speed)


def test_a_language_nobody_speaks_is_refused(engine):
    with pytest.raises(LanguageUnsupported):
        said(engine, language="xx")


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_no_text_is_refused(engine, text):
    with pytest.raises(SynthesisFailed):
        said(engine, text=text)


@pytest.mark.parametrize("text", ["...", "🙂", "<speak>hi</speak> & more", "a" * 2000, "null\x00byte", "[[x"])
def test_odd_text_is_spoken_or_skipped_or_refused(engine, text):
    try:
        chunks = said(engine, text=text)
    except SynthesisFailed:
        return
    assert all(np.isfinite(chunk.samples).all() for chunk in chunks)


def test_several_threads_at_once_get_what_one_gets(engine):
    alone_s = duration_s(said(engine))

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda _: said(engine), range(8)))

    assert {tuple(chunk.text for chunk in chunks) for chunks in together} == {
        tuple(c.text for c in said(engine))
    }
    assert [duration_s(chunks) for chunks in together] == pytest.approx([alone_s] * 8, rel=0.05)
