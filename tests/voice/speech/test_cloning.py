import sys

import numpy as np
import pytest
from django.core.files.storage import default_storage

from tests.sounds import encode_wav
from tests.speech import spoken
from tests.voice.engines.tts import chatterbox_package
from voice.audio.pcm import s16le_from_samples
from voice.engines.tts.chatterbox import WEIGHTS, Chatterbox
from voice.errors import EngineUnavailable, RequestRefused
from voice.models import ClonedVoice, PendingErasure
from voice.speech import cache, cloning, voice_samples, voices
from voice.speech.cache import CachedSpeech
from voice.types import Voice
from voice.workers import erasing

pytestmark = pytest.mark.django_db
OWNER, STRANGER = "organisation:7", "organisation:8"


def wav(seconds=4.0):
    speech = np.tile(spoken("I worked on a large project for two years."), 30)
    return encode_wav(s16le_from_samples(speech[: int(seconds * 16_000)]), rate_hz=16_000)


@pytest.fixture(autouse=True)
def configured(settings):
    settings.VOICE = settings.VOICE | {"TTS_ENGINES": ["chatterbox", "espeak"]}


@pytest.fixture
def stored():
    """File names of cloned voices in object storage."""

    def names():
        if not default_storage.exists("voices"):
            return []
        folders, _ = default_storage.listdir("voices")
        return [f"voices/{f}/{name}" for f in folders for name in default_storage.listdir(f"voices/{f}")[1]]

    before = set(names())
    return lambda: sorted(set(names()) - before)


def erase_pending():
    for pending in PendingErasure.objects.all():
        erasing.erase(str(pending.pk))


def register(owner=OWNER, voice_id="anna", audio=None, has_consent=True):
    return cloning.register(
        owner=owner,
        voice_id=voice_id,
        reference_audio=wav() if audio is None else audio,
        has_consent=has_consent,
    )


@pytest.mark.parametrize("voice_id", ["an\x00na", "\ud800", "chatterbox:en#\x00", "x" * 5000])
def test_odd_name_is_no_voice(voice_id):
    assert cloning.find(OWNER, voice_id) is None


def test_empty_owner_has_no_voices():
    row = ClonedVoice.objects.create(owner="", name="anna", sha256="0", duration_ms=4000, has_consent=True)

    assert cloning.find("", "anna") is None
    assert cloning.find("", f"chatterbox:en#{row.pk}") is None
    assert cloning.voices_of("") == ()


def test_a_recording_becomes_a_voice_of_its_owner(stored):
    row = register()

    assert (row.owner, row.name, row.has_consent, row.duration_ms) == (OWNER, "anna", True, 4000)
    assert stored() == [row.storage_name]
    assert cloning.voices_of(OWNER) == (row,)
    assert cloning.find(OWNER, "anna") == row
    assert cloning.find(OWNER, f"chatterbox:de#{row.pk}") == row


def test_nobody_else_finds_a_voice():
    row = register()

    assert cloning.voices_of(STRANGER) == ()
    assert cloning.find(STRANGER, "anna") is None
    assert cloning.find(STRANGER, f"chatterbox:en#{row.pk}") is None
    assert not cloning.remove(STRANGER, "anna")
    assert cloning.find(OWNER, "anna") == row


@pytest.mark.parametrize("has_consent", [False, None, "yes", 1])
def test_without_consent_nothing_is_kept(stored, has_consent):
    with pytest.raises(RequestRefused) as refused:
        register(has_consent=has_consent)

    assert (refused.value.code, refused.value.field) == ("consent_missing", "has_consent")
    assert not ClonedVoice.objects.exists()
    assert stored() == []


@pytest.mark.parametrize("voice_id", ["", "a b", "piper:anna", "../x", "-x", "x" * 65, None, 5, "änne"])
def test_a_name_that_is_none_is_refused(voice_id):
    with pytest.raises(RequestRefused) as refused:
        register(voice_id=voice_id)

    assert refused.value.field == "voice_id"


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (b"", "."),
        (b"RIFF nothing", "."),
        (wav(1.0), r"1\.0 s.*3 to 60 s"),
        (wav(63.0), "."),
        (encode_wav(bytes(2 * 16_000 * 5), rate_hz=16_000), "nobody is to be heard"),
    ],
    ids=["empty", "damaged", "too short", "too long", "silent"],
)
def test_audio_that_is_no_use_is_refused(stored, audio, reason):
    with pytest.raises(RequestRefused, match=reason) as refused:
        register(audio=audio)

    assert (refused.value.field, refused.value.code) == ("reference_audio", "audio_rejected")
    assert stored() == []


def test_without_the_engine_it_says_how_to_get_it(settings):
    settings.VOICE = settings.VOICE | {"TTS_ENGINES": ["piper"]}

    with pytest.raises(EngineUnavailable, match=r"extra \[chatterbox\].*TTS_ENGINES"):
        register()


def test_a_name_that_is_registered_again_means_the_new_voice(stored, clean_redis):
    first = register()
    cloning.StoredReferences().keep_embedding(str(first.pk), b"derived")

    second = register(audio=wav(5.0))
    erase_pending()

    assert cloning.voices_of(OWNER) == (second,)
    assert second.pk != first.pk
    assert second.sha256 != first.sha256
    assert stored() == [second.storage_name]


def test_two_owners_may_use_the_same_name():
    mine, theirs = register(), register(owner=STRANGER, audio=wav(5.0))

    assert cloning.find(OWNER, "anna") == mine
    assert cloning.find(STRANGER, "anna") == theirs


def test_a_voice_that_is_removed_leaves_nothing(stored, clean_redis):
    row = register()
    references = cloning.StoredReferences()
    references.keep_embedding(str(row.pk), b"derived")
    meta = {"voice": f"chatterbox:de#{row.pk}", "duration_ms": 1}
    cache.put("a" * 64, CachedSpeech(b"speech of anna", meta))
    cache.put("b" * 64, CachedSpeech(b"speech of another", {"voice": "piper:one", "duration_ms": 1}))

    assert cloning.remove(OWNER, "anna")
    erase_pending()

    assert stored() == []
    assert (cache.peek("a" * 64), cache.statistics().items) == (None, 1)
    assert not cloning.exists(f"chatterbox:de#{row.pk}")
    assert cloning.exists("piper:one")
    assert references.sha256(str(row.pk)) is None
    assert cloning.voices_of(OWNER) == ()


def test_an_embedding_that_comes_after_the_voice_was_removed_is_not_kept(stored):
    row = register()
    ClonedVoice.objects.all().delete()

    cloning.StoredReferences().keep_embedding(str(row.pk), b"derived")

    assert stored() == [row.storage_name]


def test_an_embedding_is_kept_once_and_given_back():
    key, references = str(register().pk), cloning.StoredReferences()
    assert references.embedding(key) is None

    references.keep_embedding(key, b"derived")
    references.keep_embedding(key, b"derived again")

    assert references.embedding(key) == b"derived"


def test_what_is_no_key_has_no_recording():
    assert cloning.StoredReferences().sha256("../../etc") is None
    assert cloning.find(OWNER, "chatterbox:en#../../etc") is None


def test_a_voice_that_could_not_be_saved_leaves_no_file(stored, monkeypatch):
    def fail(row):
        raise RuntimeError("the database is away")

    monkeypatch.setattr(cloning, "_put_in_place", fail)

    with pytest.raises(RuntimeError):
        register()

    assert stored() == []


def test_the_engine_speaks_as_the_stored_recording(monkeypatch, tmp_path):
    for name, module in chatterbox_package.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in WEIGHTS:
        (tmp_path / name).touch()
    row = register()
    engine = Chatterbox(str(tmp_path), device="cpu", references=cloning.StoredReferences())
    voice = voices.chosen_clone("anna", owner=OWNER, language="de-AT")

    list(engine.synthesize("Guten Tag.", voice=voice.id, language="de"))

    assert voice == Voice(f"chatterbox:de#{row.pk}", "de", "anna", "chatterbox", "cloned", 24_000)
    assert engine._weights.calls == [("Guten Tag.", "de", 0.5, 4 * 24_000)]
    assert cloning.StoredReferences().embedding(str(row.pk))


def test_a_cloned_voice_is_chosen_by_its_owner_only():
    row = register()

    for asked in ("anna", f"chatterbox:en#{row.pk}"):
        assert voices.chosen_clone(asked, owner=OWNER, language="en").id == f"chatterbox:en#{row.pk}"
        assert voices.chosen_clone(asked, owner=STRANGER, language="en") is None


def test_the_base_voice_does_not_open_the_way_to_another_owners_recording():
    row = register()
    base = Voice("chatterbox:en", "en", "Chatterbox en", "chatterbox", "neural", 24_000)

    assert voices.chosen(f"chatterbox:en#{row.pk}", among=[base]) is None
    assert voices.chosen_clone(f"chatterbox:en#{row.pk}", owner=STRANGER, language="en") is None


def test_cloned_voices_are_listed_to_their_owner_under_their_names():
    register()

    (voice,) = voices.cloned(OWNER, language="fr")

    assert voices.described(voice) == {
        "id": "anna",
        "name": "anna",
        "language": "fr",
        "engine": "chatterbox",
        "quality": "cloned",
        "sample_rate_hz": 24_000,
        "speakers": [],
        "sample_text": voice_samples.sample_text("fr"),
    }
    assert voices.cloned(STRANGER) == ()
