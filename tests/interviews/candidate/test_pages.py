from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from interviews.actions import invitations
from interviews.models import Invitation, Session
from tests import factories
from tests.candidate import consent_form
from tests.interviews import journey
from voice.workers import storing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


def landing(token: str) -> str:
    return reverse("interviews:landing", args=[token])


def room(token: str) -> str:
    return reverse("interviews:room", args=[token])


def test_landing_says_what_will_happen(client, invitation):
    page = client.get(landing(invitation.token)).content.decode()
    assert invitation.interview.title in page
    assert invitation.interview.consent_text in page
    assert "3 questions" in page


def test_landing_without_consent_starts_nothing(client, invitation):
    form = consent_form(client.get(landing(invitation.token)).content.decode())
    response = client.post(landing(invitation.token), {"shown": form["shown"]})
    assert "tick the box" in response.content.decode()
    assert not Session.objects.exists()


def test_consent_starts_the_session_and_opens_the_room(client, invitation):
    response = agree(client, invitation)
    assert response["Location"] == room(invitation.token)
    session = Session.objects.get()
    assert session.consent_text == invitation.interview.consent_text
    assert client.get(room(invitation.token)).status_code == 200


def agree(client, invitation, meanwhile=lambda: None):
    """Read the landing page, and agree to what it shows."""
    form = consent_form(client.get(landing(invitation.token)).content.decode())
    meanwhile()
    return client.post(landing(invitation.token), form)


def test_text_that_changed_meanwhile_is_shown_again(client, invitation):
    def edit():
        factories.change(invitation.interview, consent_text="Your answers are sold to the highest bidder.")

    again = agree(client, invitation, meanwhile=edit).content.decode()
    assert "has changed since you opened the page" in again
    assert "sold to the highest bidder" in again
    assert " checked" not in again
    assert not Session.objects.exists()
    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.PENDING

    assert agree(client, invitation)["Location"] == room(invitation.token)
    assert Session.objects.get().consent_text == "Your answers are sold to the highest bidder."


def test_time_of_keeping_that_changed_meanwhile_is_shown_again(client, invitation):
    def keep_longer():
        factories.change(invitation.interview, retention_days=365)

    again = agree(client, invitation, meanwhile=keep_longer).content.decode()
    assert "has changed since you opened the page" in again
    assert "365 days" in again
    assert not Session.objects.exists()


@pytest.mark.parametrize("shown", [{}, {"shown": ""}, {"shown": "0" * 64}, {"shown": "a\0"}])
def test_consent_that_does_not_say_to_what_starts_nothing(client, invitation, shown):
    response = client.post(landing(invitation.token), {"consent": "on", **shown})
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert not Session.objects.exists()


def test_room_before_consent_goes_to_the_landing(client, invitation):
    assert client.get(room(invitation.token))["Location"] == landing(invitation.token)


def test_unknown_link_says_so(client, db):
    response = client.get(landing("nobody-has-this"))
    assert response.status_code == 404
    assertions_on_problem(response, "unknown")


@pytest.mark.parametrize(("kind", "status"), [("expired", 410), ("revoked", 410), ("finished", 200)])
def test_ended_link_says_which(client, invitation, kind, status):
    if kind == "finished":
        Session.objects.create(invitation=invitation, status="finished", finished_at=timezone.now())
    Invitation.objects.filter(pk=invitation.pk).update(status=kind)
    response = client.get(landing(invitation.token))
    assert response.status_code == status
    assertions_on_problem(response, kind)


def assertions_on_problem(response, kind: str) -> None:
    assert response.templates[0].name == "interviews/link_problem.html"
    assert response.context["problem"] == kind


def test_link_with_a_nul_is_refused(client, db):
    assert client.get("/i/a%00b/").status_code == 400


def test_link_past_its_day_is_expired_before_any_job_ran(client, make_invitation):
    invitation = make_invitation(expires_at=timezone.now() - timedelta(seconds=1))
    assertions_on_problem(client.get(landing(invitation.token)), "expired")


def test_interview_under_way_may_be_finished_after_its_day(client, session):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    invitations.expire_due(now=timezone.now())
    assert client.get(room(session.invitation.token)).status_code == 200


def test_finished_link_opens_the_room_while_audio_is_not_stored(client, session):
    for answer in journey.questions(session):
        journey.answer_with(answer, b"\0\0" * 16_000)
    token = session.invitation.token
    assert client.get(landing(token))["Location"] == room(token)
    for answer in journey.questions(session):
        storing.store(str(answer.recording_id))
    assertions_on_problem(client.get(landing(token)), "finished")


def test_candidate_pages_are_never_cached_and_leak_no_referrer(client, invitation):
    response = client.get(landing(invitation.token))
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"


def test_candidate_agrees_to_what_the_page_notices(client, invitation):
    def switch_off():
        factories.change(invitation.interview, has_page_facts=False)

    assert "when you leave this page" in client.get(landing(invitation.token)).content.decode()
    again = agree(client, invitation, meanwhile=switch_off).content.decode()
    assert "has changed since you opened the page" in again
    assert "when you leave this page" not in again
