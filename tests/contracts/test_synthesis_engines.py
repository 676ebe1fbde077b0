"""The contract of synthesis engines: the fake, and the real ones available on this machine."""

import itertools
import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from interview_platform.demo.embedded import free_port
from tests.contracts import adapters
from tests.vendors.server import KEY
from voice.engines.base import SynthesisEngine
from voice.engines.tts.piper import Piper
from voice.errors import EngineUnavailable, LanguageUnsupported, SynthesisFailed, TransientFailure

TEXT = "Hello. Tell me about your last project, please!"
LONG_TEXT = " ".join(f"This is sentence number {i}, and it says nothing new." for i in range(120))
of_vendors = pytest.mark.parametrize("adapter", adapters.SYNTHESIS_VENDORS, indirect=True, scope="module")


@pytest.fixture(scope="module", params=[*adapters.SYNTHESIS, *adapters.real(adapters.REAL_SYNTHESIS)])
def adapter(request):
    with adapters.synthesis(request.param, request) as adapter:
        yield adapter


def said(engine, text=TEXT, voice=None, language="en", speed=1.0, emotion=None):
    return list(engine.synthesize(text, voice=voice, language=language, speed=speed, emotion=emotion))


def text_of(chunks):
    return " ".join(chunk.text for chunk in chunks if chunk.text)


def duration_s(chunks):
    return sum(chunk.duration_s for chunk in chunks)


def test_an_engine_keeps_the_protocol(engine):
    assert isinstance(engine, SynthesisEngine)
    assert engine.name
    assert engine.model
    assert engine.device in ("cpu", "cuda", "cloud")


def test_loading_again_does_no_harm(engine):
    engine.load()

    assert engine.voices()


def test_voices_have_ids_of_their_engine_and_differ(engine):
    voices = engine.voices()

    assert all(voice.id.startswith(f"{engine.name}:") and voice.engine == engine.name for voice in voices)
    assert len({voice.id for voice in voices}) == len(voices)
    assert all(voice.sample_rate_hz >= 8000 and "_" not in voice.language for voice in voices)
    assert all(voice.quality in ("neural", "cloud", "last_resort") for voice in voices)


def test_the_chunks_make_up_the_text(engine):
    assert text_of(said(engine)) == TEXT


def test_each_sentence_is_one_chunk_or_comes_in_pieces(engine):
    """A local engine synthesises by sentence; a vendor's audio comes in pieces, the first with the text."""
    texts = [chunk.text for chunk in said(engine)]

    if engine.device == "cloud":
        assert texts[0] == TEXT
        assert set(texts[1:]) <= {""}
    else:
        assert texts == ["Hello.", "Tell me about your last project, please!"]


def test_chunks_are_sound_in_range(engine):
    chunks = said(engine)

    for chunk in chunks:
        assert chunk.samples.dtype == np.float32
        assert chunk.samples.ndim == 1
        assert chunk.sample_rate_hz == chunks[0].sample_rate_hz
        assert len(chunk.samples) > 0
        assert np.abs(chunk.samples).max() <= 1
    assert max(np.abs(chunk.samples).max() for chunk in chunks) > 0.01
    assert 0.5 < duration_s(chunks) < 20


def test_the_sound_has_no_seams(engine):
    """Cut samples, swapped bytes and lost pieces would all click."""
    sound = np.concatenate([chunk.samples for chunk in said(engine, text="Hello there, how are you?")])

    assert np.abs(np.diff(sound)).max() < 0.9


def test_the_first_chunk_comes_before_the_last_is_made(engine):
    chunks = engine.synthesize(TEXT, voice=None, language="en")

    assert next(iter(chunks)).text.startswith("Hello.")


def test_a_listener_who_leaves_harms_nobody(engine):
    chunks = engine.synthesize(LONG_TEXT, voice=None, language="en")
    list(itertools.islice(chunks, 1))
    chunks.close()

    assert text_of(said(engine)) == TEXT


def test_the_same_text_lasts_as_long_again(engine):
    # the samples differ: most voices add a little noise
    assert duration_s(said(engine)) == pytest.approx(duration_s(said(engine)), rel=0.05)


@pytest.mark.parametrize("language", ["en", "en-US", "en_US", "EN"])
def test_a_language_is_found_in_any_spelling(engine, language):
    assert said(engine, language=language)


def test_a_voice_is_chosen_by_its_id(engine):
    voice = engine.voices()[0]

    assert said(engine, voice=voice.id, language=voice.language)


def test_a_voice_of_another_engine_leaves_the_choice_to_the_language(engine):
    by_language, by_voice = said(engine), said(engine, voice="elsewhere:someone")

    assert text_of(by_voice) == text_of(by_language)


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

    assert {text_of(chunks) for chunks in together} == {TEXT}
    # A real Piper voice varies its pace by chance.
    assert [duration_s(chunks) for chunks in together] == pytest.approx([alone_s] * 8, rel=0.3)


def test_a_text_of_five_thousand_characters_is_spoken_whole(engine):
    assert len(LONG_TEXT) > 5000

    assert text_of(said(engine, text=LONG_TEXT)) == LONG_TEXT


@pytest.mark.parametrize("emotion", ["cheerful", "", '"/><break time="9s', "very happy indeed"])
def test_an_emotion_is_taken_or_ignored_and_never_spoken(engine, emotion):
    chunks = said(engine, emotion=emotion)

    assert text_of(chunks) == TEXT
    assert duration_s(chunks) == pytest.approx(duration_s(said(engine)), rel=0.4)


@pytest.mark.parametrize("adapter", ["piper"], indirect=True, scope="module")
def test_without_its_voices_an_engine_says_what_to_do(adapter, tmp_path):
    assert Piper(tmp_path).voices() == ()
    with pytest.raises(EngineUnavailable, match="PIPER_VOICES"):
        Piper(tmp_path).load()


@of_vendors
def test_without_a_key_an_engine_names_the_variable(adapter):
    before = adapter.vendor.requests
    with adapter.with_account(api_key="") as engine:
        for ask in (engine.load, lambda: said(engine)):
            with pytest.raises(EngineUnavailable, match=adapter.account.key_variable):
                ask()
        assert engine.voices() == ()

    assert adapter.vendor.requests == before


@of_vendors
def test_loading_and_empty_text_call_nobody(adapter):
    before = adapter.vendor.requests
    with adapter.with_account(voices=("somebody@en-US",)) as engine:
        engine.load()
        with pytest.raises(SynthesisFailed):
            said(engine, text="...")

    assert adapter.vendor.requests == before


@of_vendors
def test_voices_may_be_configured(adapter):
    with adapter.with_account(voices=("somebody@de-DE", "somebody@en_GB")) as engine:
        voices = engine.voices()

    assert [(voice.name, voice.language) for voice in voices] == [
        ("somebody", "de-DE"),
        ("somebody", "en-GB"),
    ]


@of_vendors
@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_vendor_is_a_transient_failure(adapter, engine, status):
    engine.voices()  # voices may be fetched from a vendor once
    adapter.vendor.mood = status

    with pytest.raises(TransientFailure, match=str(status)):
        said(engine)


@of_vendors
def test_a_broken_connection_is_a_transient_failure(adapter, engine):
    engine.voices()
    adapter.vendor.mood = "break"

    with pytest.raises(TransientFailure):
        said(engine)


@of_vendors
def test_a_vendor_that_cannot_be_reached_is_a_transient_failure(adapter):
    address = f"http://127.0.0.1:{free_port()}"
    with adapter.with_account(base_url=address, voices=("somebody@en-US",)) as engine:
        with pytest.raises(TransientFailure):
            said(engine)


@of_vendors
def test_a_vendor_that_is_silent_times_out(adapter, engine):
    voice = engine.voices()[0].id.partition(":")[2]
    adapter.vendor.mood = "hang"
    with adapter.with_account(timeout_s=0.2, voices=(voice,)) as engine:
        with pytest.raises(TransientFailure, match=r"within 0.2 s"):
            said(engine)


@of_vendors
@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_named_by_its_variable(adapter, engine, status):
    engine.voices()
    adapter.vendor.mood = status

    with pytest.raises(EngineUnavailable, match=adapter.account.key_variable) as caught:
        said(engine)
    assert not isinstance(caught.value, TransientFailure)


@of_vendors
@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_text_that_a_vendor_refuses_fails(adapter, engine, status):
    engine.voices()
    adapter.vendor.mood = status

    with pytest.raises(SynthesisFailed):
        said(engine)


@of_vendors
@pytest.mark.parametrize("mood", [404, 302, "nonsense"])
def test_an_answer_nobody_understands_makes_the_engine_unavailable(adapter, engine, mood):
    engine.voices()
    adapter.vendor.mood = mood

    with pytest.raises(EngineUnavailable, match=r"check [A-Z]+_BASE_URL") as caught:
        said(engine)
    assert not isinstance(caught.value, TransientFailure)


@of_vendors
def test_after_a_failure_the_next_call_works(adapter, engine):
    engine.voices()
    for mood in (503, "break", "nonsense"):
        adapter.vendor.mood = mood
        with pytest.raises(EngineUnavailable):
            said(engine)
    adapter.vendor.mood = ""

    assert text_of(said(engine)) == TEXT


@of_vendors
def test_neither_key_nor_words_are_told_in_errors_or_logs(adapter, engine, caplog):
    engine.voices()
    caplog.set_level(logging.DEBUG)
    said(engine)
    told = []
    for mood in (401, 400, 503, "break", "nonsense"):
        adapter.vendor.mood = mood
        with pytest.raises((EngineUnavailable, SynthesisFailed)) as caught:
            said(engine)
        told.append(repr(caught.value) + repr(caught.value.__cause__))

    everything = " ".join([*told, caplog.text, repr(engine._account)])
    assert KEY not in everything
    assert "project" not in everything
