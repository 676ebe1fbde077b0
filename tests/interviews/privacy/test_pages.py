"""The candidate's own page."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from interviews import tokens
from interviews.actions import invitations
from interviews.models import Erasure, Invitation, Session
from tests.interviews.privacy.conftest import EMAIL, NAME

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def token(candidate) -> str:
    return candidate.session.invitation.token


def page(token: str) -> str:
    return reverse("interviews:data", args=[token])


def test_page_says_what_is_held(client, token):
    response = client.get(page(token))
    text = response.content.decode()
    assert response.status_code == 200
    assert NAME in text
    assert EMAIL in text
    assert (response.context["holdings"].recording_count, response.context["holdings"].transcript_count) == (
        2,
        1,
    )
    assert "no-store" in response["Cache-Control"]


def test_second_confirmation_erases_and_the_link_is_unknown(client, token):
    response = client.post(page(token))
    assert response.templates[0].name == "interviews/privacy/confirm.html"
    assert Invitation.objects.exists()

    response = client.post(page(token), {"confirmed": "yes"})
    assert response.templates[0].name == "interviews/privacy/erased.html"
    assert NAME not in response.content.decode()
    assert Erasure.objects.get().source == Erasure.Source.CANDIDATE
    assert not Invitation.objects.exists()
    for address in (page(token), reverse("interviews:landing", args=[token])):
        assert (
            client.get(address).status_code == client.post(address, {"confirmed": "yes"}).status_code == 404
        )


@pytest.mark.parametrize("name", ["landing", "room"])
def test_pages_lead_to_it(client, token, name):
    address = reverse(f"interviews:{name}", args=[token])
    assert page(token) in client.get(address).content.decode()


@pytest.mark.parametrize("kind", ["finished", "expired"])
def test_ended_link_still_shows_what_is_held(client, candidate, token, kind):
    Session.objects.update(status="finished", finished_at=timezone.now())
    Invitation.objects.update(status=kind)
    assert (
        page(token) in client.get(reverse("interviews:landing", args=[token]), follow=True).content.decode()
    )
    assert client.get(page(token)).status_code == 200
    assert client.post(page(token), {"confirmed": "yes"}).status_code == 200
    assert not Invitation.objects.exists()


def test_browser_forgets_its_recordings_whichever_link_erased(client, candidate, token):
    now = timezone.now()
    Session.objects.update(status="finished", finished_at=now)
    Invitation.objects.update(status="finished")
    temporary = tokens.temporary(candidate.session.invitation_id, until=now + timedelta(hours=1))
    response = client.post(page(temporary), {"confirmed": "yes"})
    assert f'<script id="store" type="application/json">"{token}"</script>' in response.content.decode()


def test_revoked_link_shows_and_erases_nothing(client, candidate, token):
    invitations.revoke(invitation=candidate.session.invitation, by="test", now=timezone.now())
    for response in (client.get(page(token)), client.post(page(token), {"confirmed": "yes"})):
        assert response.status_code == 410
        assert NAME not in response.content.decode()
    assert Invitation.objects.exists()
