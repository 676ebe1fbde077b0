"""POSTs with an Idempotency-Key: done once, answered alike, whatever happens between."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.audit.models import AuditEntry
from interviews import jobs
from interviews.actions import erasure, idempotency, invitations
from interviews.actions.personal_data import ANSWERED, STORES
from interviews.models import AnsweredRequest, Invitation
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
ADA = {"candidate_name": "Ada", "candidate_email": "ada@example.com"}


@pytest.fixture
def key(interview):
    return factories.ApiKeyFactory(organisation=interview.organisation)


@pytest.fixture
def invite(interview, key):
    def call(body=ADA, idempotency_key="first", by=key):
        headers = {"Authorization": f"Bearer {by.plain}", "Idempotency-Key": idempotency_key}
        address = f"/api/v1/interviews/{interview.pk}/invitations"
        return Client().post(address, body, content_type="application/json", headers=headers)

    return call


def test_same_request_is_answered_alike_and_done_once(invite):
    first, again = invite(), invite()
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert Invitation.objects.count() == 1


def test_answer_that_is_given_again_names_its_candidate_in_the_audit(invite, key, interview):
    invite()
    invite()
    invitation = Invitation.objects.get()
    entries = AuditEntry.objects.filter(door="invite", key_id=key.pk)
    assert [(entry.organisation_id, entry.candidates) for entry in entries] == [
        (interview.organisation_id, [invitation.pk])
    ] * 2


def test_another_body_under_the_key_is_refused(invite):
    invite()
    refused = invite({"candidate_name": "Bea"})
    assert (refused.status_code, refused.json()["code"]) == (422, "key_reused")
    assert Invitation.objects.count() == 1


def test_keys_belong_to_their_api_key(invite, interview):
    invite()
    invite(by=factories.ApiKeyFactory(organisation=interview.organisation))
    assert Invitation.objects.count() == 2


@pytest.mark.parametrize("wrong", ["", "x" * 201])
def test_key_that_is_none_is_a_bad_value(invite, wrong):
    refused = invite(idempotency_key=wrong)
    assert (refused.status_code, refused.json()["field"]) == (422, "Idempotency-Key")
    assert not Invitation.objects.exists()


def test_refused_request_keeps_nothing_and_is_judged_anew(invite):
    late = ADA | {"expires_at": "2020-01-01T00:00:00Z"}
    assert (invite(late).status_code, AnsweredRequest.objects.count()) == (422, 0)
    assert invite().status_code == 201


def test_while_the_first_runs_the_second_is_told_to_wait(invite, monkeypatch):
    reached, go_on, answers = threading.Event(), threading.Event(), []
    invite_candidate = invitations.invite

    def slow(**options):
        reached.set()
        assert go_on.wait(60)
        return invite_candidate(**options)

    def first():
        answers.append(invite())
        connection.close()

    monkeypatch.setattr(invitations, "invite", slow)
    running = threading.Thread(target=first)
    running.start()
    assert reached.wait(60)
    second = invite()
    go_on.set()
    running.join(60)
    assert (second.status_code, second.json()["code"], second["Retry-After"]) == (409, "under_way", "1")
    assert answers[0].status_code == 201
    assert invite().content == answers[0].content
    assert Invitation.objects.count() == 1


def test_process_that_dies_before_its_answer_is_kept_leaves_nothing(invite, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*args, **options):
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "keep", die)
        with pytest.raises(Killed):
            invite()
    assert not Invitation.objects.exists()
    assert invite().status_code == 201
    assert Invitation.objects.count() == 1


def test_answers_lie_encrypted_and_go_after_a_day(invite):
    invite()
    [row] = AnsweredRequest.objects.all()
    kept = bytes(row.answer) + bytes(row.request) + bytes(row.digest)
    assert not any(word in kept for word in (b"Ada", b"first", Invitation.objects.get().token.encode()))
    AnsweredRequest.objects.update(answered_at=timezone.now() - timedelta(hours=23, minutes=59))
    jobs.expire()
    assert AnsweredRequest.objects.exists()
    AnsweredRequest.objects.update(answered_at=timezone.now() - timedelta(hours=24))
    jobs.expire()
    assert not AnsweredRequest.objects.exists()


def test_erasing_a_candidate_empties_the_answers_about_it(invite):
    invite()
    invite({"candidate_name": "Bea"}, "second")
    ada = Invitation.objects.get(candidate_name="Ada")
    assert STORES[ANSWERED].find(str(ada.pk))
    erasure.erase_candidate(invitation=ada, by="test", now=timezone.now())
    assert not STORES[ANSWERED].find(str(ada.pk))
    gone = invite()
    assert (gone.status_code, gone.json()["code"]) == (410, "answer_erased")
    assert invite({"candidate_name": "Bea"}, "second").json()["candidate_name"] == "Bea"
    assert Invitation.objects.count() == 1


def test_answers_are_read_after_a_change_of_keys(invite, settings):
    first = invite()
    settings.TOKEN_KEYS = [uuid4().hex, *settings.TOKEN_KEYS]
    assert idempotency.rotate_keys() == {"written": 1}
    assert invite().content == first.content
