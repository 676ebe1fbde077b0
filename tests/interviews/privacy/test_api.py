"""Erasing a candidate over REST."""

import pytest

from interviews.models import Erasure, Invitation
from tests import factories
from tests.interviews.privacy.conftest import EMAIL, NAME, run_jobs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
V1 = "/api/v1"


@pytest.fixture
def call(client, interview):
    """A function that calls the API with a key of the interview's organisation."""
    key = factories.ApiKeyFactory(organisation=interview.organisation)

    def call(method, path, plain=key.plain):
        return getattr(client, method)(f"{V1}{path}", headers={"Authorization": f"Bearer {plain}"})

    return call


def test_candidate_is_erased_and_the_answer_says_how_far(call, candidate):
    path = f"/invitations/{candidate.session.invitation_id}"
    answer = call("delete", f"{path}/candidate")
    assert answer.status_code == 202
    row = Erasure.objects.get()
    assert answer.json() | {"id": str(row.pk), "status": "waiting", "source": "api"} == answer.json()
    assert NAME not in answer.content.decode()
    assert EMAIL not in answer.content.decode()

    assert call("get", path).status_code == call("delete", f"{path}/candidate").status_code == 404
    run_jobs(row, now=row.requested_at.replace(year=row.requested_at.year + 1))
    assert call("get", f"/erasures/{row.pk}").json()["status"] == "done"
    assert len(call("get", "/erasures").json()["items"]) == 1


def test_another_organisation_erases_and_finds_nothing(call, candidate):
    foreign = factories.ApiKeyFactory()
    path = f"/invitations/{candidate.session.invitation_id}/candidate"
    assert call("delete", path, foreign.plain).status_code == 404
    assert Invitation.objects.get().candidate_name == NAME
    row = candidate.erase()
    assert call("get", f"/erasures/{row.pk}", foreign.plain).status_code == 404
    assert call("get", "/erasures", foreign.plain).json()["items"] == []


def test_key_for_tests_reads_neither_legal_holds_nor_the_list_of_erasures(call, candidate, interview):
    test = factories.ApiKeyFactory(organisation=interview.organisation, is_test=True)
    Invitation.objects.update(set_aside_of=factories.InvitationFactory(interview=interview))
    row = candidate.erase()
    assert row.is_trial

    for path in ("/legal-holds", "/erasures"):
        refused = call("get", path, test.plain)
        assert (refused.status_code, refused.json()["code"]) == (403, "test_key"), path


def test_key_for_tests_reads_the_erasure_of_its_own_candidate(client, call, interview):
    test = factories.ApiKeyFactory(organisation=interview.organisation, is_test=True)
    made = client.post(
        f"{V1}/interviews/{interview.pk}/invitations",
        {"candidate_name": NAME},
        content_type="application/json",
        headers={"Authorization": f"Bearer {test.plain}"},
    ).json()

    erased = call("delete", f"/invitations/{made['id']}/candidate", test.plain).json()

    assert call("get", f"/erasures/{erased['id']}", test.plain).status_code == 200
    assert call("get", f"/erasures/{erased['id']}").status_code == 404


def test_key_without_the_scope_may_not_erase(call, candidate, interview):
    key = factories.ApiKeyFactory(organisation=interview.organisation, scopes=["voice:write", "erasure:read"])
    path = f"/invitations/{candidate.session.invitation_id}/candidate"
    assert call("delete", path, key.plain).status_code == 403
    assert call("delete", path, "ipk_nothing").status_code == 401
    assert Invitation.objects.exists()


def test_invitation_itself_cannot_be_deleted_half(call, candidate):
    assert call("delete", f"/invitations/{candidate.session.invitation_id}").status_code == 405
