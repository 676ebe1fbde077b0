"""The recruiters' page of accommodations, and the buttons for more time and a new start."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import accommodations
from interviews.models import Accommodation, Invitation
from tests import factories

Role = Membership.Role
NOTHING = {"extra_percent": "0", "reason": "as agreed by phone"}


@pytest.fixture
def started(interview):
    invitation = factories.InvitationFactory(interview=interview, status="started")
    session = factories.SessionFactory(invitation=invitation, status="under_way", answers=1)
    factories.AnswerFactory(session=session, practice=True)
    return invitation


def page_of(invitation):
    return reverse("admin:interviews_invitation_accommodations", args=[invitation.pk])


def button(invitation, name):
    return reverse(f"admin:interviews_invitation_{name}", args=[invitation.pk])


def press(client, invitation, name, **fields):
    """Press a button with a dialog; return the invitation as it is then."""
    client.post(button(invitation, name), {"_form_submitted": "on", **fields})
    return Invitation.objects.get(pk=invitation.pk)


def in_days(days):
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def test_accommodation_is_given_and_its_history_names_whom_and_why(client, member, interview):
    recruiter = member(Role.RECRUITER)
    invitation = factories.InvitationFactory(interview=interview)
    client.post(page_of(invitation), {**NOTHING, "extra_percent": "50", "is_written": "on"})
    row = Accommodation.objects.get()
    assert (row.given_by, row.extra_percent, row.is_written, row.is_untimed) == (recruiter, 50, True, False)
    page = client.get(page_of(invitation)).content.decode()
    assert "as agreed by phone" in page
    assert "You have 50 % more time" in page
    assert str(recruiter) in page


def test_form_shows_what_holds(client, member, interview):
    member(Role.RECRUITER)
    invitation = factories.InvitationFactory(interview=interview)
    accommodations.give(
        invitation=invitation, extra_percent=33, is_patient=True, reason="x", by="api", now=timezone.now()
    )
    form = client.get(page_of(invitation)).context["form"]
    assert (form["extra_percent"].value(), form["is_patient"].value()) == (33, True)


def test_accommodation_without_a_reason_is_not_given(client, member, interview):
    member(Role.RECRUITER)
    invitation = factories.InvitationFactory(interview=interview)
    response = client.post(page_of(invitation), {**NOTHING, "reason": " "})
    assert response.context["form"].errors["reason"]
    assert not Accommodation.objects.exists()


def test_no_log_of_the_admin_tells_of_an_accommodation(client, member, interview):
    member(Role.RECRUITER)
    client.post(page_of(factories.InvitationFactory(interview=interview)), {**NOTHING, "is_untimed": "on"})
    assert Accommodation.objects.exists()
    assert not LogEntry.objects.exists(), "reviewers read the history of an invitation"


@pytest.mark.parametrize("role", [Role.REVIEWER, None])
def test_accommodation_is_found_by_no_one_else(client, member, interview, role):
    invitation = (
        factories.InvitationFactory() if role is None else factories.InvitationFactory(interview=interview)
    )
    member(role or Role.OWNER)
    assert client.get(page_of(invitation)).status_code == 404
    assert client.post(page_of(invitation), NOTHING).status_code == 404
    assert not Accommodation.objects.exists()


def test_link_is_extended_to_the_end_of_a_day(client, member, interview):
    member(Role.RECRUITER)
    invitation = factories.InvitationFactory(
        interview=interview, status="expired", expires_at=timezone.now() - timedelta(days=1)
    )
    after = press(client, invitation, "extend", last_day=in_days(3))
    assert after.status == "pending"
    assert timezone.localtime(after.expires_at).strftime("%Y-%m-%d %H:%M") == f"{in_days(3)} 23:59"


@pytest.mark.usefixtures("clean_redis")
def test_candidate_begins_again_and_the_attempt_can_be_read(client, member, started):
    session = started.session
    member(Role.RECRUITER)
    assert press(client, started, "reset", last_day=in_days(3)).status == "pending"
    review = reverse("admin:interviews_session_change", args=[session.pk])
    page = client.get(reverse("admin:interviews_invitation_change", args=[started.pk])).content.decode()
    assert review in page
    kept = client.get(review).content.decode()
    assert "set aside" in kept
    assert "ip-exports" not in kept
    assert "data-evaluation" not in kept
    listed = client.get(reverse("admin:interviews_session_changelist")).context["cl"].queryset
    assert list(listed) == []


@pytest.mark.usefixtures("clean_redis")
def test_attempt_set_aside_is_not_told_to_reviewers(client, member, started):
    session = started.session
    member(Role.RECRUITER)
    press(client, started, "reset", last_day=in_days(3))
    member(Role.REVIEWER)
    review = reverse("admin:interviews_session_change", args=[session.pk])
    assert client.get(review)["Location"] == reverse("admin:index")
    page = client.get(reverse("admin:interviews_invitation_change", args=[started.pk])).content.decode()
    assert f'href="{review}"' not in page


def test_what_was_not_begun_offers_no_new_start(client, member, interview):
    member(Role.RECRUITER)
    invitation = factories.InvitationFactory(interview=interview)
    assert client.post(button(invitation, "reset"), {"last_day": in_days(3)}).status_code == 403


def test_invitation_is_sent_again(client, member, interview, settings, clean_redis):
    settings.EMAIL_URL = "smtp://localhost"
    member(Role.RECRUITER)
    invitation = press(client, factories.InvitationFactory(interview=interview), "send_again")
    assert invitation.messages.get().kind == "invitation"
