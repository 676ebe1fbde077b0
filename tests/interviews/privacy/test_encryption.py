"""An interview from its answers to its erasure, with encryption at rest off and on."""

import io
import zipfile
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone

from interviews.actions import attempts, sessions
from interviews.exports import archive
from interviews.models import Erasure, Invitation, Session
from interviews.privacy import package
from interviews.queries import records
from tests import factories
from tests.interviews import journey
from tests.interviews.privacy.conftest import Candidate, run_jobs
from tests.interviews.privacy.test_erasure import later
from tests.interviews.privacy.test_prove_erasure import empty_storage, prove  # noqa: F401  a fixture
from voice.audio import decoding
from voice.encryption import blocks, files, keys
from voice.errors import KeyDestroyed, KeyMissing
from voice.models import DataKey, PendingErasure, Recording, Transcript
from voice.recordings import addresses, lifecycle, recovery
from voice.workers import erasing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
SAID = factories.tone(0.5)


@pytest.fixture(params=["plain", "encrypted"])
def is_encrypted(request) -> bool:
    if request.param == "encrypted":
        request.getfixturevalue("encryption")
    return request.param == "encrypted"


def stored(candidate: Candidate) -> Recording:
    return candidate.session.answers.get(position=1).recording


def raw(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()


def column(statement: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def opened(candidate: Candidate) -> zipfile.ZipFile:
    rows = records.recordings(Session.objects.filter(pk=candidate.session.pk), at_most=10)
    return zipfile.ZipFile(io.BytesIO(b"".join(archive.stream(rows, now=timezone.now()))))


def test_what_was_said_is_played_and_taken_away_whether_encrypted_or_not(is_encrypted, candidate):
    recording = stored(candidate)
    address = urlsplit(addresses.temporary_url(recording))
    played = Client().get(f"{address.path}?{address.query}")
    found = opened(candidate)
    [name, _contents] = found.namelist()

    assert (raw(recording.storage_name)[:4] == blocks.MAGIC) is is_encrypted
    assert decoding.decode_flac(played.content)[0] == SAID
    assert found.read(name) == played.content
    assert recovery.fault(recording, is_read=True) == ""
    assert recording.transcript.text
    [(text, segments)] = column("SELECT text, segments::text FROM voice_transcript")
    assert (recording.transcript.text in text) is not is_encrypted
    longest = max((each["word"].strip() for each in recording.transcript.words), key=len)
    assert (longest in segments) is not is_encrypted


def test_nothing_is_left_after_an_erasure_whether_encrypted_or_not(is_encrypted, candidate):
    recording = stored(candidate)
    key, copy = recording.data_key, raw(recording.storage_name)
    kept = column("SELECT row_to_json(t)::text FROM voice_transcript t")

    row = candidate.erase()
    for each in PendingErasure.objects.order_by("created_at"):
        erasing.erase(str(each.pk))
    run_jobs(row, now=later(row))

    assert row.status == Erasure.Status.DONE
    assert not DataKey.objects.exists()
    default_storage.save(recording.storage_name, ContentFile(copy))  # of a backup, as these rows
    recording.save(force_insert=True)
    assert len(kept) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO voice_transcript SELECT (json_populate_record(NULL::voice_transcript, %s)).*",
            kept[0],
        )
    keys.forget_all()
    if is_encrypted:
        with pytest.raises(KeyDestroyed):
            files.read(recording.storage_name, key_id=key)
        with pytest.raises(KeyDestroyed):
            Transcript.objects.get()
        lifecycle.erase(recording_ids=[recording.pk])  # again
        assert not Transcript.objects.exists()
    else:
        assert key is None


def test_an_erasure_is_complete_only_once_the_key_is_destroyed(encryption, candidate, monkeypatch):
    def away() -> None:
        raise OSError("the store does not answer")

    row = candidate.erase()
    with monkeypatch.context() as patch:
        patch.setattr(keys, "store", away)
        for each in PendingErasure.objects.exclude(store="data_key"):
            erasing.erase(str(each.pk))
        with pytest.raises(OSError, match="does not answer"):
            run_jobs(row, now=later(row))
    row.refresh_from_db()
    assert row.status == Erasure.Status.WAITING

    run_jobs(row, now=later(row))
    assert row.status == Erasure.Status.DONE


def test_all_recordings_of_a_candidate_have_one_key_and_no_other_has_it(
    encryption, candidate, make_invitation
):
    other = sessions.start(invitation=make_invitation(), now=timezone.now())
    answer = journey.begin_first_question(other)

    mine = set(
        candidate.session.answers.exclude(recording=None).values_list("recording__data_key", flat=True)
    )

    assert mine == {Invitation.objects.get(pk=candidate.session.invitation_id).data_key}
    assert answer.recording.data_key not in (*mine, None)


def test_an_attempt_that_was_set_aside_is_read_and_goes_with_the_same_key(encryption, candidate):
    recording, invitation = stored(candidate), candidate.session.invitation
    attempts.reset(
        invitation=invitation, expires_at=timezone.now() + timedelta(days=1), by="test", now=timezone.now()
    )
    assert decoding.decode_flac(files.read(recording.storage_name, key_id=recording.data_key))[0] == SAID

    candidate.session.refresh_from_db()
    invitation.refresh_from_db()
    Candidate(Session(invitation=invitation), [], []).erase()

    assert not DataKey.objects.exists()
    assert PendingErasure.objects.filter(store="data_key", key=str(recording.data_key)).exists()


def test_candidates_can_play_what_they_download_whether_encrypted_or_not(is_encrypted, candidate):
    found = own_archive(candidate)

    assert found.testzip() is None
    assert decoding.decode_flac(found.read("recordings/01.flac"))[0] == SAID


def test_candidates_download_the_others_where_a_recording_cannot_be_decrypted(encryption, candidate):
    recording = stored(candidate)
    default_storage.save(recording.storage_name, ContentFile(raw(recording.storage_name)[:-1]))

    assert sorted(own_archive(candidate).namelist()) == ["answers.html", "data.json"]


def own_archive(candidate: Candidate) -> zipfile.ZipFile:
    pieces = package.stream(candidate.session.invitation, now=timezone.now())
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def test_a_recording_that_cannot_be_decrypted_is_named_in_the_archive(encryption, candidate):
    recording = stored(candidate)
    default_storage.save(recording.storage_name, ContentFile(raw(recording.storage_name)[:-1]))

    found = opened(candidate)

    assert found.namelist() == ["contents.csv"]
    assert "cannot be decrypted" in found.read("contents.csv").decode()


def test_a_restored_candidate_whose_key_was_destroyed_can_be_erased_again(encryption, candidate):
    keys.destroy(stored(candidate).data_key)
    with pytest.raises(KeyMissing):
        Transcript.objects.get()

    row = candidate.erase()
    run_jobs(row, now=later(row))

    assert row.status == Erasure.Status.DONE
    assert not Recording.objects.exists()


@pytest.mark.usefixtures("empty_storage")
def test_the_proof_finds_a_key_that_outlived_its_candidate(encryption, candidate):
    key = stored(candidate).data_key
    row = candidate.erase()
    with_key = prove(candidate)[1]
    run_jobs(row, now=later(row))

    assert f"data key {key}: is being erased" in with_key
    assert prove(candidate)[0]
