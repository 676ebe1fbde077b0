"""Invitations of other systems: their own ids, many at once, and keys for tests."""

from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.actions import erasure, invitations
from interviews.models import Invitation, WebhookEvent
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def call_with(client, interview):
    def with_key(**fields):
        key = factories.ApiKeyFactory(organisation=interview.organisation, **fields)

        def call(method, path, body=None):
            options = {} if method == "get" else {"content_type": "application/json"}
            headers = {"Authorization": f"Bearer {key.plain}"}
            answer = getattr(client, method)(f"/api/v1{path}", body, headers=headers, **options)
            return answer.status_code, answer.json()

        return call

    return with_key


@pytest.fixture
def call(call_with):
    return call_with()


def test_invitation_is_found_by_the_id_of_the_other_system(call, interview):
    body = {"candidate_name": "Ada", "external_id": "ats-7", "metadata": {"stage": "phone screen"}}
    _status, made = call("post", f"/interviews/{interview.pk}/invitations", body)
    factories.InvitationFactory(interview=interview)
    [found] = call("get", "/invitations?external_id=ats-7")[1]["items"]
    assert (found["id"], found["metadata"], found["is_test"]) == (
        made["id"],
        {"stage": "phone screen"},
        False,
    )


def test_external_id_is_one_in_an_organisation(call, interview):
    path, body = f"/interviews/{interview.pk}/invitations", {"candidate_name": "Ada", "external_id": "7"}
    call("post", path, body)
    status, refused = call("post", path, body)
    assert (status, refused["code"]) == (409, "taken")
    other = factories.InterviewFactory(questions=1)
    key = factories.ApiKeyFactory(organisation=other.organisation)
    assert Invitation.objects.count() == 1
    factories.InvitationFactory(interview=other, external_id="7")
    assert key.organisation != interview.organisation


@pytest.mark.parametrize(
    "metadata",
    [{"a": 1}, {"": "x"}, {"a b": "x"}, {"a": "x" * 501}, {str(n): "x" for n in range(21)}, ["a"], {"a": {}}],
)
def test_metadata_are_few_short_texts(call, interview, metadata):
    body = {"candidate_name": "Ada", "metadata": metadata}
    status, problem = call("post", f"/interviews/{interview.pk}/invitations", body)
    assert status == 422
    assert problem["field"].startswith("metadata")


def test_many_are_answered_one_by_one(call, interview):
    rows = [{"candidate_name": "Ada", "external_id": "1"}, {"candidate_name": "Bea", "external_id": "1"}]
    status, answer = call(
        "post",
        f"/interviews/{interview.pk}/invitations/batch",
        {"invitations": [*rows, {"candidate_name": "C"}]},
    )
    assert (status, answer["invited"], answer["refused"]) == (200, 2, 1)
    assert [each["code"] for each in answer["results"]] == [None, "taken", None]
    assert answer["results"][0]["invitation"]["url"] == Invitation.objects.get(candidate_name="Ada").url


def test_batch_holds_external_ids_in_one_order(call, interview, monkeypatch):
    held = []
    monkeypatch.setattr(invitations.sql, "hold", held.append)
    rows = [{"candidate_name": "Ada", "external_id": each} for each in ("2", "1", "3")]

    call("post", f"/interviews/{interview.pk}/invitations/batch", {"invitations": rows})

    assert [name[-1] for name in held[:3]] == ["1", "2", "3"]


def test_batch_that_is_not_as_described_invites_nobody(call, interview):
    path = f"/interviews/{interview.pk}/invitations/batch"
    status, problem = call("post", path, {"invitations": [{"candidate_name": "Ada"}, {"candidate_name": 7}]})
    assert (status, problem["field"]) == (422, "invitations.1.candidate_name")
    assert problem["errors"][0]["pointer"] == "#/invitations/1/candidate_name"
    assert call("post", path, {"invitations": [{"candidate_name": "A"}] * 101})[0] == 422
    assert not Invitation.objects.exists()


def test_key_for_tests_and_real_keys_do_not_see_each_other(call, call_with, interview):
    test = call_with(is_test=True)
    body = {"candidate_name": "Ada", "external_id": "7"}
    _status, real = call("post", f"/interviews/{interview.pk}/invitations", body)
    status, tried = test("post", f"/interviews/{interview.pk}/invitations", body)
    assert (status, real["is_test"], tried["is_test"]) == (201, False, True)
    for use, own, other in [(call, real, tried), (test, tried, real)]:
        assert [each["id"] for each in use("get", "/invitations")[1]["items"]] == [own["id"]]
        assert use("get", f"/invitations/{other['id']}")[0] == 404
        assert use("post", f"/invitations/{other['id']}/revoke")[0] == 404
        assert use("get", f"/invitations/{other['id']}/accommodation")[0] == 404
    assert list(Invitation.objects.counted().values_list("pk", flat=True)) == [
        Invitation.objects.get(tried=None).pk
    ]


def test_recruiters_trial_is_no_test_of_a_key(call_with, interview):
    from interviews.actions import invitations

    person = factories.UserFactory()
    now = timezone.now()
    invitations.try_out(interview=interview, by=person, expires_at=now + timedelta(hours=1), now=now)
    assert call_with(is_test=True)("get", "/invitations")[1]["items"] == []


def test_sessions_of_tests_are_told_apart(call, call_with, interview):
    tried = factories.InvitationFactory(interview=interview, tried=interview.published, status="started")
    session = factories.SessionFactory(invitation=tried, status="under_way")
    answer = factories.AnswerFactory(session=session, position=1, accepted=True)
    test = call_with(is_test=True)
    for path in (f"/sessions/{session.pk}", f"/answers/{answer.pk}/transcript"):
        assert (test("get", path)[0], call("get", path)[0]) == (200, 404)
    assert test("get", f"/sessions/{session.pk}")[1]["is_test"] is True


def test_test_invitation_is_told_to_no_one_and_erased_after_a_day(call_with, interview):
    call_with(is_test=True)("post", f"/interviews/{interview.pk}/invitations", {"candidate_name": "Ada"})
    assert not WebhookEvent.objects.exists()
    erasure.erase_overdue(now=timezone.now() + timedelta(hours=23))
    assert Invitation.objects.exists()
    erasure.erase_overdue(now=timezone.now() + timedelta(hours=24, minutes=1))
    assert not Invitation.objects.exists()
    assert interview.versions.filter(number=1).exists()


def test_key_for_tests_changes_nothing_of_an_interview(call_with, interview):
    test = call_with(is_test=True, scopes=["interviews:read", "interviews:write"])
    assert test("get", f"/interviews/{interview.pk}")[0] == 200
    status, problem = test("post", f"/interviews/{interview.pk}/archive")
    assert (status, problem["code"]) == (403, "test_key")
