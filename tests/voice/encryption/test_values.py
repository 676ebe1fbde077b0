"""Encrypted columns: the plain value for whoever reads, nothing of it in PostgreSQL."""

import json

import pytest
from django.db import connection

from tests import factories
from voice.encryption import keys, values
from voice.errors import DecryptionFailed, KeyDestroyed
from voice.models import Recording, Transcript, TranscriptVersion
from voice.models.encrypted import encrypted
from voice.recordings import versions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("encryption")]
ABOUT = "voice_transcript.text"


@pytest.fixture
def key():
    return keys.reserve()


@pytest.fixture
def transcript(key) -> Transcript:
    recording = factories.RecordingFactory(sealed=True, data_key=key)
    return factories.TranscriptFactory(recording=recording, done=True, text="I built a mill in Zürich")


def stored(row: Transcript | TranscriptVersion) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT row_to_json(t)::text FROM {row._meta.db_table} t WHERE id = %s", [row.pk])
        return json.dumps(json.loads(cursor.fetchone()[0]), ensure_ascii=False)


def test_a_text_comes_back_and_no_two_are_alike(key):
    text = "Zürich 💥 \n" * 100
    first, second = (values.encrypted(text, key_id=key, about=ABOUT) for _ in range(2))

    assert first != second
    assert values.decrypted(first, about=ABOUT) == values.decrypted(second, about=ABOUT) == text
    assert values.encrypted(first, key_id=key, about=ABOUT) == first  # not twice


def test_what_is_not_encrypted_is_read_as_it_is(key):
    assert values.decrypted("I built it", about=ABOUT) == "I built it"
    assert values.encrypted("I built it", key_id=None, about=ABOUT) == "I built it"
    assert values.encrypted("", key_id=key, about=ABOUT) == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda stored, other: stored[:-8] + "AAAAAAA=",
        lambda stored, other: stored[:-4],
        lambda stored, other: stored[: len(values.MARK) + 4],
        lambda stored, other: values.MARK,
        lambda stored, other: stored + "é",
        lambda stored, other: other[: len(values.MARK) + 20] + stored[len(values.MARK) + 20 :],  # its key
    ],
)
def test_a_text_that_was_tampered_with_is_refused(key, change):
    mine, other = (values.encrypted("a" * 40, key_id=each, about=ABOUT) for each in (key, keys.reserve()))

    with pytest.raises((DecryptionFailed, KeyDestroyed)):  # the latter: there is no such key
        values.decrypted(change(mine, other), about=ABOUT)


def test_a_text_of_another_column_is_refused(key):
    mine = values.encrypted("a", key_id=key, about="voice_transcriptversion.text")

    with pytest.raises(DecryptionFailed, match=r"of voice_transcript\.text"):
        values.decrypted(mine, about=ABOUT)


def test_a_row_is_read_as_it_was_written_in_every_way(transcript, key):
    row = Transcript.objects.get()
    assert "Zürich" not in stored(row)
    assert "mill" not in stored(row)
    assert (row.text, row.words) == (transcript.text, transcript.words)
    assert Transcript.objects.values_list("text", "segments").get() == (row.text, row.segments)
    assert Recording.objects.select_related("transcript").get().transcript.text == row.text

    row.save()
    assert "Zürich" not in stored(row)
    changes = encrypted(Transcript, {"text": "Another", "segments": [], "language": "de"}, key_id=key)
    Transcript.objects.update(**changes)
    row.refresh_from_db()
    assert (row.text, row.segments, row.language) == ("Another", [], "de")
    assert "Another" not in stored(row)


def test_every_version_is_encrypted_and_the_one_that_is_used_too(transcript):
    first = versions._first(transcript.recording)
    assert "Zürich" not in stored(first)
    first.refresh_from_db()
    assert (first.text, first.words) == (transcript.text, transcript.words)

    second = TranscriptVersion.objects.create(
        recording=transcript.recording,
        version=2,
        status="done",
        text="I fixed a hill",
        segments=first.segments,
    )
    assert versions.use(second)

    assert "hill" not in stored(second) + stored(transcript)
    transcript.refresh_from_db()
    assert (transcript.text, transcript.version) == ("I fixed a hill", 2)


def test_a_row_of_before_stays_as_it_is():
    row = factories.TranscriptFactory(done=True, text="I built it")

    assert "I built it" in stored(row)
    assert Transcript.objects.get().text == "I built it"
