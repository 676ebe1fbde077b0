"""Accommodations, later last days and new starts over the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.models import Accommodation
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
GIVEN = {"extra_percent": 25, "is_written": True, "reason": "as agreed"}


@pytest.fixture
def api(client, interview):
    key = factories.ApiKeyFactory(organisation=interview.organisation)
    headers = {"Authorization": f"Bearer {key.plain}"}

    def call(method, invitation, path, body=None, if_match="*"):
        address = f"/api/v1/invitations/{invitation.pk}/{path}"
        sent = headers | ({"If-Match": if_match} if if_match and method != "get" else {})
        response = getattr(client, method)(address, body, content_type="application/json", headers=sent)
        return response.status_code, response.json()

    return call


def test_accommodation_is_given_and_read_without_its_reason(api, invitation):
    status, given = api("put", invitation, "accommodation", GIVEN)
    assert status == 200
    assert api("get", invitation, "accommodation") == (200, given)
    assert (given["extra_percent"], given["is_written"], given["is_patient"]) == (25, True, False)
    assert "reason" not in given
    assert Accommodation.objects.get().reason == "as agreed"


def test_accommodation_that_was_never_given_is_nothing(api, invitation):
    status, given = api("get", invitation, "accommodation")
    assert (status, given["extra_percent"], given["given_at"]) == (200, 0, None)


@pytest.mark.parametrize(
    "wrong",
    [{"reason": ""}, {"reason": "a\0b"}, {"extra_percent": 301}, {"extra_percent": -1}, {"is_written": 7}],
)
def test_wrong_accommodation_is_refused(api, invitation, wrong):
    status, error = api("put", invitation, "accommodation", GIVEN | wrong)
    assert (status, error["code"]) in ((422, "bad_value"), (400, "bad_value"), (422, "invalid"))
    assert not Accommodation.objects.exists()


def test_another_organisation_gives_and_reads_nothing(api):
    foreign = factories.InvitationFactory()
    assert api("put", foreign, "accommodation", GIVEN)[0] == 404
    assert api("get", foreign, "accommodation")[0] == 404
    assert not Accommodation.objects.exists()


def test_link_is_extended_and_an_attempt_set_aside(api, session):
    later = (timezone.now() + timedelta(days=40)).isoformat()
    status, extended = api("post", session.invitation, "extend", {"expires_at": later})
    assert (status, extended["status"]) == (200, "started")
    status, again = api("post", session.invitation, "reset", {})
    assert (status, again["status"]) == (200, "pending")
    status, refused = api("post", session.invitation, "reset", {})
    assert (status, refused["code"]) == (409, "wrong_state")


def test_accommodation_needs_the_state_that_was_read(api, invitation):
    assert api("put", invitation, "accommodation", GIVEN, if_match="")[0] == 428
    assert api("put", invitation, "accommodation", GIVEN, if_match='"old"')[0] == 412
    assert not Accommodation.objects.exists()


@pytest.mark.parametrize("path", ["extend", "reset", "revoke"])
def test_change_of_what_has_changed_meanwhile_is_refused(api, session, path):
    body = {"expires_at": (timezone.now() + timedelta(days=40)).isoformat()}
    assert api("post", session.invitation, path, body, if_match='"old"')[0] == 412
    assert api("post", session.invitation, path, body, if_match="")[0] == 200
