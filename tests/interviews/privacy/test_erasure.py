import zlib
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.utils import timezone

from interviews import jobs
from interviews.actions import answers, erasure, invitations, sessions
from interviews.actions.errors import WrongState
from interviews.correcting import limits as heard
from interviews.models import Answer, Erasure, Invitation, InvitationBatch, Session
from tests import factories
from tests.interviews import journey
from tests.interviews.privacy.conftest import EMAIL, NAME, run_jobs
from voice.infra import redis_clients
from voice.models import PendingErasure, Recording, Speech, Transcript
from voice.recordings import addresses, storage
from voice.workers import storing, sweeper, transcription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
commits = pytest.mark.django_db(transaction=True)
"""Jobs are queued after the commit."""


def later(row: Erasure):
    return row.requested_at + erasure.SETTLES


def in_redis(words: list[str]) -> list[str]:
    """The keys that hold one of the words, in their name or in what they hold."""
    client, found = redis_clients.sync_client(), []
    for key in client.scan_iter():
        if key.endswith(b":erased"):  # refuses late audio, and ends within half a minute
            assert 0 < client.ttl(key) <= 30
            continue
        held = repr(contents(client, key))
        if any(word in key.decode() or word in held for word in words):
            found.append(key.decode())
    return found


def contents(client, key):
    match client.type(key):
        case b"hash":
            fields = client.hgetall(key)
            return fields | {b"data": unpacked(fields[b"data"])} if b"data" in fields else fields
        case b"zset":
            return client.zrange(key, 0, -1)
        case b"list":
            return client.lrange(key, 0, -1)
        case b"set":
            return client.smembers(key)
        case b"stream":
            return client.xrange(key)
        case _:
            return client.get(key)


def unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return data


def files() -> list[str]:
    root = Path(default_storage.location)
    return [str(path.relative_to(root)) for path in root.rglob("*")]


@commits
def test_nothing_of_the_candidate_is_left_in_any_store(candidate):
    assert in_redis(candidate.ids)
    assert any(each in name for name in files() for each in candidate.ids)

    row = candidate.erase()
    run_jobs(row, now=later(row))

    assert not Invitation.objects.exists()
    assert not Session.objects.exists()
    assert not Answer.objects.exists()
    assert not Transcript.objects.exists()
    assert not Recording.objects.exists()
    assert in_redis([*candidate.ids, *candidate.words]) == []
    assert [name for name in files() if any(each in name for each in candidate.ids)] == []
    assert (row.status, row.session_key, row.pending) == (Erasure.Status.DONE, None, [])


def test_what_stays_says_that_there_was_an_interview_and_no_more(candidate):
    row = candidate.erase()
    run_jobs(row, now=later(row))

    stays = " ".join(str(getattr(row, field.attname)) for field in row._meta.concrete_fields)
    assert not [word for word in [*candidate.ids, *candidate.words] if word in stays]
    assert (row.invitation_status, row.session_status, row.answer_count) == ("started", "under_way", 1)
    assert row.begun_on == timezone.now().date()


def test_text_spoken_for_this_candidate_goes_and_a_shared_question_stays(candidate, make_invitation):
    shared = set(Answer.objects.filter(position__in=[0, 1, 2]).values_list("speech_key", flat=True))
    other = sessions.start(invitation=make_invitation(), now=timezone.now())

    run_jobs(candidate.erase())

    assert set(Speech.objects.values_list("key", flat=True)) >= shared
    assert not Speech.objects.filter(key=candidate.ids[-1]).exists()
    assert other.answers.count() == 4


def test_text_that_is_wanted_again_meanwhile_keeps_its_audio(candidate):
    key = candidate.ids[-1]
    row = candidate.erase()
    factories.SpeechFactory(text="You said that you built an engine. Which one?", ready=True)
    run_jobs(row)

    assert default_storage.exists(f"speech/{key}.flac")
    assert not PendingErasure.objects.exists()


def test_another_candidate_keeps_everything(candidate, make_invitation, fake_recognition):
    other = sessions.start(invitation=make_invitation(candidate_name="Grace"), now=timezone.now())
    answer = journey.questions(other)[0]
    journey.answer_with(answer, factories.tone(0.5))
    transcription.transcribe(str(answer.recording_id))
    storing.store(str(answer.recording_id))

    run_jobs(candidate.erase())

    assert Transcript.objects.get().recording_id == answer.recording_id
    assert default_storage.exists(Recording.objects.get(pk=answer.recording_id).storage_name)


def test_erasing_twice_says_that_it_was_done(candidate):
    candidate.erase()
    with pytest.raises(WrongState, match="erased before"):
        candidate.erase()
    assert Erasure.objects.count() == 1


def test_invitation_without_an_interview_is_erased(make_invitation):
    invitation = make_invitation(candidate_name="Ada Lovelace")
    row = erasure.erase_candidate(invitation=invitation, by="test", now=timezone.now())
    run_jobs(row)
    assert (row.status, row.session_status, row.begun_on) == (Erasure.Status.DONE, "", None)
    assert not Invitation.objects.exists()


def test_what_comes_after_the_erasure_is_refused(make_invitation):
    invitation = make_invitation()
    erasure.erase_candidate(invitation=invitation, by="test", now=timezone.now())
    with pytest.raises(WrongState, match="erased"):
        sessions.start(invitation=invitation, now=timezone.now())
    with pytest.raises(WrongState, match="erased"):
        invitations.revoke(invitation=invitation, by="test", now=timezone.now())


# Interrupted


@commits
def test_storage_that_is_away_is_waited_for(candidate, monkeypatch, queued):
    row = candidate.erase()
    with monkeypatch.context() as away:
        away.setattr(default_storage, "delete", fail)
        with pytest.raises(OSError, match="away"):
            jobs.complete_erasure(str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.last_error) == (Erasure.Status.WAITING, "OSError in a store")

    redis_clients.sync_client().flushdb()
    PendingErasure.objects.update(retry_at=timezone.now())
    Erasure.objects.update(retry_at=timezone.now())
    sweeper.sweep()
    jobs.sweep_erasures()
    assert f"complete-erasure-{row.pk}" in queued("default")
    assert len(queued("default")) == 1 + PendingErasure.objects.count()
    run_jobs(row, now=later(row))
    assert row.status == Erasure.Status.DONE
    assert [name for name in files() if any(each in name for each in candidate.ids)] == []


def fail(*args):
    raise OSError("away")


@commits
def test_redis_that_is_away_is_waited_for(candidate, monkeypatch):
    def away(*args, **kwargs):
        raise redis.ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(redis.Redis, "execute_command", away)
        patch.setattr(redis.client.Pipeline, "execute", away)
        row = candidate.erase()
        with pytest.raises(redis.ConnectionError):
            jobs.complete_erasure(str(row.pk))
    row.refresh_from_db()
    assert (row.status, row.last_error) == (Erasure.Status.WAITING, "ConnectionError in a store")
    assert row.retry_at > timezone.now()

    run_jobs(row, now=later(row))
    assert row.status == Erasure.Status.DONE
    assert in_redis(candidate.ids) == []


def test_killed_before_the_commit_nothing_is_gone(candidate, monkeypatch):
    def killed(*args):
        raise SystemExit

    monkeypatch.setattr(erasure, "queue_completion", killed)
    with pytest.raises(SystemExit):
        candidate.erase()
    assert Answer.objects.count() == 4
    assert not Erasure.objects.exists()
    assert not PendingErasure.objects.exists()


@commits
def test_killed_after_the_commit_the_sweeper_goes_on(candidate, queued):
    row = candidate.erase()
    redis_clients.sync_client().flushdb()  # no job was queued
    Erasure.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    jobs.sweep_erasures()
    assert queued("default") == [f"complete-erasure-{row.pk}"]


def test_erasure_is_not_complete_while_a_web_process_may_renew_the_place(candidate):
    row = candidate.erase()
    run_jobs(row)
    assert row.status == Erasure.Status.WAITING
    run_jobs(row, now=later(row))
    assert row.status == Erasure.Status.DONE


# In the middle of work


def test_transcript_that_is_being_made_is_dropped(candidate, use_recognition, fake_recognition):
    recording = Recording.objects.get(status="stored")
    Transcript.objects.filter(recording=recording).update(status="waiting")

    class Slow:
        def recognize(self, samples, **options):
            candidate.erase()
            return fake_recognition.recognize(samples, **options)

    use_recognition(Slow())
    transcription.transcribe(str(recording.pk))
    assert not Transcript.objects.exists()


def test_recording_that_is_being_stored_leaves_no_file(candidate, monkeypatch):
    answer = journey.questions(candidate.session)[1]
    answers.finish(answer=answer, byte_count=0, by="test", now=timezone.now())
    write = storage.write_once

    def erased_first(*args, **options):
        monkeypatch.undo()
        run_jobs(candidate.erase())
        write(*args, **options)

    monkeypatch.setattr(storage, "write_once", erased_first)
    storing.store(str(answer.recording_id))
    assert [name for name in files() if str(answer.recording_id) in name and name.endswith(".flac")] == []


# The admin's log


def test_admin_log_keeps_what_was_done_without_a_name(candidate):
    user, invitation = factories.UserFactory(), candidate.session.invitation
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Invitation),
        object_id=str(invitation.pk),
        object_repr=str(invitation),
        action_flag=2,
        change_message="Revoked.",
    )
    row = candidate.erase(by=user)
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.object_repr, entry.change_message) == (
        str(row.pk),
        str(row.pk),
        "Revoked.",
    )
    assert (row.source, row.requested_by) == (Erasure.Source.RECRUITER, user)


def test_who_listens_at_that_moment_gets_no_further_piece(client, candidate):
    recording = candidate.session.answers.get(position=1).recording
    recording.refresh_from_db()
    address = urlsplit(addresses.temporary_url(recording)).path
    pieces = [{"Range": f"bytes={start}-{start + 99}"} for start in (0, 100)]
    assert client.get(address, headers=pieces[0]).status_code == 206

    candidate.erase()

    assert client.get(address, headers=pieces[1]).status_code == 404


def test_spreadsheet_that_named_the_candidate_again_forgets_it(candidate):
    invitation = candidate.session.invitation
    refused = [[2, f"{NAME} · {EMAIL.upper()}", "invited already"], [3, "Grace · grace@", "no address"]]
    batch = InvitationBatch.objects.create(
        interview=invitation.interview, file_name="a.csv", problems=refused, expires_at=timezone.now()
    )
    foreign = InvitationBatch.objects.create(
        interview=factories.InterviewFactory(), file_name="b.csv", problems=refused, expires_at=timezone.now()
    )
    candidate.erase()
    assert InvitationBatch.objects.get(pk=batch.pk).problems == refused[1:]
    assert InvitationBatch.objects.get(pk=foreign.pk).problems == refused


def test_counts_of_what_candidates_did_name_nobody(client, candidate):
    for _ in range(2):
        response = client.post(f"/i/{candidate.session.invitation.token}/data/download/")
        assert b"".join(response.streaming_content)
    heard.wait_s(candidate.session)
    candidate.erase()
    names = redis_clients.sync_client().keys("voice:own-data:*") + redis_clients.sync_client().keys(
        "voice:changes-of-heard:*"
    )
    assert len(names) == 2
    assert not [each for each in candidate.ids for name in names if each in name.decode()]
