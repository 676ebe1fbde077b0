from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.models import Interview, Invitation, Session
from tests import factories

Role = Membership.Role
CHANGELIST = "admin:interviews_invitation_changelist"
ADD = "admin:interviews_invitation_add"


def change_url(invitation):
    return reverse("admin:interviews_invitation_change", args=[invitation.pk])


def form(interview, **fields):
    expires_at = timezone.now() + timedelta(days=3)
    return {
        "interview": str(interview.pk),
        "candidate_name": "Ada Lovelace",
        "candidate_email": "ada@example.com",
        "expires_at_0": expires_at.date().isoformat(),
        "expires_at_1": "12:00:00",
    } | fields


def link_address(invitation):
    return reverse("admin:interviews_invitation_link", args=[invitation.pk])


def test_inviting_leads_to_the_link(client, member, interview):
    recruiter = member(Role.RECRUITER)
    response = client.post(reverse(ADD), form(interview), follow=True)
    invitation = Invitation.objects.get()
    assert (invitation.candidate_name, invitation.created_by) == ("Ada Lovelace", recruiter)
    page = response.content.decode()
    assert f'data-copy="#candidate-link" data-copy-from="{link_address(invitation)}"' in page


def test_link_is_shown_on_request_and_the_history_says_to_whom(client, member, interview):
    recruiter = member(Role.RECRUITER)
    invitation = factories.InvitationFactory(interview=interview)
    for page in (reverse(CHANGELIST), change_url(invitation)):
        assert invitation.token not in client.get(page).content.decode()
    assert client.get(link_address(invitation)).status_code == 405, (
        "a link that is only followed logs nothing"
    )
    assert not LogEntry.objects.exists()

    shown = client.post(link_address(invitation))

    assert shown.content.decode() == invitation.url
    assert "no-store" in shown["Cache-Control"]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (recruiter, str(invitation.pk))
    assert invitation.token not in f"{entry.object_repr} {entry.change_message}"


@pytest.mark.parametrize("status", ["finished", "expired", "revoked"])
def test_link_that_is_no_longer_used_is_not_shown(client, member, interview, status):
    member(Role.RECRUITER)
    invitation = factories.InvitationFactory(interview=interview, status=status)
    assert client.post(link_address(invitation)).status_code == 404


def test_link_whose_key_is_missing_says_so(client, member, interview, settings):
    member(Role.RECRUITER)
    invitation = factories.InvitationFactory(interview=interview)
    settings.TOKEN_KEYS = ["another-key-of-links-in-this-one-test"]
    response = client.post(link_address(invitation))
    assert (response.status_code, b"TOKEN_KEYS" in response.content) == (409, True)
    assert not LogEntry.objects.exists()


def test_recruiter_elsewhere_gets_no_links_where_only_reviewing(client, member, theirs, foreign_interview):
    user = member(Role.RECRUITER)
    factories.MembershipFactory(user=user, organisation=theirs, role=Role.REVIEWER)
    invitation = factories.InvitationFactory(interview=foreign_interview)
    assert client.post(link_address(invitation)).status_code == 404
    for page in (reverse(CHANGELIST), change_url(invitation)):
        assert link_address(invitation) not in client.get(page).content.decode()


def test_form_proposes_two_weeks(client, member, interview):
    member(Role.RECRUITER)
    page = client.get(reverse(ADD)).content.decode()
    assert (timezone.now() + timedelta(days=14)).date().isoformat() in page


def test_past_expiry_is_an_error_of_that_field(client, member, interview):
    member(Role.RECRUITER)
    response = client.post(reverse(ADD), form(interview, expires_at_0="2020-01-01"))
    assert response.context["adminform"].form.errors["expires_at"] == ["It lies in the past."]
    assert not Invitation.objects.exists()


def test_draft_is_an_error_of_that_field(client, member, interview):
    member(Role.RECRUITER)
    Interview.objects.update(status="draft")
    response = client.post(reverse(ADD), form(interview))
    assert "Publish it" in response.context["adminform"].form.errors["interview"][0]


@pytest.mark.parametrize(
    ("field", "value"), [("candidate_name", "   "), ("candidate_email", "ada"), ("expires_at_0", "soon")]
)
def test_bad_value_is_a_form_error(client, member, interview, field, value):
    member(Role.RECRUITER)
    response = client.post(reverse(ADD), form(interview, **{field: value}))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert not Invitation.objects.exists()


def test_foreign_interview_is_neither_offered_nor_accepted(client, member, foreign_interview):
    member(Role.OWNER)
    assert "Secret opening" not in client.get(reverse(ADD)).content.decode()
    client.post(reverse(ADD), form(foreign_interview))
    assert not Invitation.objects.exists()


def test_reviewer_of_the_interview_cannot_invite(client, member, foreign_interview, theirs):
    recruiter = member(Role.RECRUITER)
    factories.MembershipFactory(user=recruiter, organisation=theirs, role=Role.REVIEWER)
    client.post(reverse(ADD), form(foreign_interview))
    assert not Invitation.objects.exists()


def test_list_shows_progress_and_own_only(client, member, interview, foreign_interview):
    member(Role.RECRUITER)
    invitation = factories.InvitationFactory(interview=interview, candidate_name="Ada", status="started")
    session = factories.SessionFactory(invitation=invitation, status=Session.Status.UNDER_WAY)
    factories.AnswerFactory(session=session, practice=True)
    factories.AnswerFactory(session=session, position=1, accepted=True)
    factories.AnswerFactory(session=session, position=2)
    factories.InvitationFactory(interview=interview, candidate_name="Grace")
    factories.InvitationFactory(interview=foreign_interview, candidate_name="Mallory")
    page = client.get(reverse(CHANGELIST)).content.decode()
    assert "1 of 2 answered" in page
    assert "0 of 2 answered" in page
    assert "Mallory" not in page
    assert "Secret opening" not in page


def test_reviewer_gets_no_links(client, member, interview):
    member(Role.REVIEWER)
    invitation = factories.InvitationFactory(interview=interview)
    for address in (reverse(CHANGELIST), change_url(invitation)):
        response = client.get(address)
        assert response.status_code == 200
        assert link_address(invitation) not in response.content.decode()
    assert client.post(link_address(invitation)).status_code == 404


def revoke_address(invitation):
    return reverse("admin:interviews_invitation_revoke_link", args=[invitation.pk])


def test_revoking_asks_first(client, member, interview):
    member(Role.RECRUITER)
    invitation = factories.InvitationFactory(interview=interview)
    assert "Revoke this link?" in client.get(revoke_address(invitation)).content.decode()
    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.PENDING
    response = client.post(revoke_address(invitation), {"_form_submitted": "on"})
    assert response.headers["HX-Redirect"] == change_url(invitation)
    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.REVOKED
    assert "no longer works" in client.get(change_url(invitation)).content.decode()


def test_revoking_selected_takes_every_state_and_spares_foreign(client, member, interview, foreign_interview):
    member(Role.RECRUITER)
    own = [factories.InvitationFactory(interview=interview, status=status) for status in Invitation.Status]
    foreign = factories.InvitationFactory(interview=foreign_interview)
    posted = {"action": "revoke_selected", "_selected_action": [row.pk for row in (*own, foreign)]}
    page = client.post(reverse(CHANGELIST), posted, follow=True).content.decode()
    assert "4 of 5 links revoked" in page, "one was revoked before"
    statuses = dict(Invitation.objects.values_list("pk", "status"))
    assert statuses == {row.pk: "revoked" for row in own} | {foreign.pk: "pending"}


def test_interview_counts_as_finished_after_its_link_was_revoked(client, member, interview):
    member(Role.RECRUITER)
    session = factories.SessionFactory(invitation__interview=interview, finished=True)
    page = client.get(change_url(session.invitation)).content.decode()
    assert "later it only sends a new link" in page
    Invitation.objects.update(status=Invitation.Status.REVOKED)
    [row] = client.get(reverse("admin:interviews_interview_changelist")).context["cl"].result_list
    assert (row.invited_n, row.finished_n) == (1, 1)


def test_reviewer_cannot_revoke(client, member, interview):
    member(Role.REVIEWER)
    invitation = factories.InvitationFactory(interview=interview)
    assert client.post(revoke_address(invitation), {"_form_submitted": "on"}).status_code == 403
    posted = {"action": "revoke_selected", "_selected_action": [invitation.pk]}
    client.post(reverse(CHANGELIST), posted)
    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.PENDING


def test_recruiter_elsewhere_cannot_revoke_where_only_reviewing(client, member, theirs, foreign_interview):
    user = member(Role.RECRUITER)
    factories.MembershipFactory(user=user, organisation=theirs, role=Role.REVIEWER)
    invitation = factories.InvitationFactory(interview=foreign_interview)
    posted = {"action": "revoke_selected", "_selected_action": [invitation.pk]}
    client.post(reverse(CHANGELIST), posted)
    assert client.post(revoke_address(invitation), {"_form_submitted": "on"}).status_code == 403
    invitation.refresh_from_db()
    assert invitation.status == Invitation.Status.PENDING


def test_review_leads_to_the_answers(client, member, interview):
    member(Role.REVIEWER)
    invitation = factories.InvitationFactory(interview=interview)
    address = reverse("admin:interviews_invitation_review", args=[invitation.pk])
    assert client.get(address).status_code == 403
    session = factories.SessionFactory(invitation=invitation)
    assert client.get(address).url == reverse("admin:interviews_session_change", args=[session.pk])


def test_foreign_invitation_is_unknown(client, member, foreign_interview):
    member(Role.OWNER)
    invitation = factories.InvitationFactory(interview=foreign_interview)
    response = client.get(change_url(invitation), follow=True)
    assert invitation.token not in response.content.decode()
    assert invitation.candidate_name not in response.content.decode()
