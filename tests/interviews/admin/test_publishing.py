"""Publishing, trying, copying and archiving on an interview's page, and the page of its versions."""

import pytest
from django.urls import reverse

from accounts.models import Membership
from interviews.models import Interview, Invitation
from tests import factories

pytestmark = pytest.mark.usefixtures("clean_redis")

Role = Membership.Role
ACTIONS = ("publish", "archive", "duplicate", "try_it")


@pytest.fixture
def draft(ours):
    return factories.InterviewFactory(organisation=ours, questions=2, published=False)


def address(name, interview):
    return reverse(f"admin:interviews_interview_{name}", args=[interview.pk])


def confirm(client, name, interview):
    return client.post(address(name, interview), {"_form_submitted": "on"})


def page(client, interview):
    return client.get(address("change", interview)).content.decode()


def test_publishing_asks_first_and_says_what_candidates_get(client, member, draft):
    member(Role.RECRUITER)
    assert "Draft. Publish it" in page(client, draft)
    assert "Publish this interview?" in client.get(address("publish", draft)).content.decode()
    draft.refresh_from_db()
    assert draft.status == Interview.Status.DRAFT

    response = confirm(client, "publish", draft)

    assert response.headers["HX-Redirect"] == address("change", draft)
    assert "Candidates get version 1." in page(client, draft)


def test_edit_is_shown_as_not_published(client, member, interview):
    member(Role.RECRUITER)
    Interview.objects.update(title="Another")
    assert "What is written here is newer" in page(client, interview)
    confirm(client, "publish", interview)
    assert "Candidates get version 2." in page(client, interview)


def test_interview_without_questions_is_not_published_and_the_page_says_why(client, member, draft):
    member(Role.RECRUITER)
    draft.questions.all().delete()
    confirm(client, "publish", draft)
    assert "It has no questions" in page(client, draft)
    draft.refresh_from_db()
    assert draft.status == Interview.Status.DRAFT


@pytest.mark.parametrize("name", ACTIONS)
def test_reviewer_changes_nothing(client, member, interview, name):
    member(Role.REVIEWER)
    Interview.objects.update(title="Another")
    assert confirm(client, name, interview).status_code in (302, 403, 404)
    assert Interview.objects.get().status == Interview.Status.PUBLISHED
    assert Interview.objects.get().published.number == 1
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("name", ACTIONS)
def test_interview_of_another_organisation_is_not_found(client, member, foreign_interview, name):
    member(Role.OWNER)
    assert confirm(client, name, foreign_interview).status_code in (302, 403, 404)
    assert Interview.objects.count() == 1
    assert not Invitation.objects.exists()


def test_versions_of_another_organisation_are_not_found(client, member, foreign_interview):
    member(Role.OWNER)
    assert client.get(address("versions", foreign_interview)).status_code == 404


def test_versions_show_what_changed(client, member, interview):
    member(Role.REVIEWER)
    factories.change(interview, title="A second title", retention_days=30)
    Interview.objects.update(title="A third title")

    text = client.get(address("versions", interview)).content.decode()

    assert text.index("Not published yet") < text.index("Version 2") < text.index("Version 1")
    assert "third" in text
    assert "Kept for (days)" in text
    assert "The first version." in text


def test_versions_count_candidates_and_no_trials_or_attempts_set_aside(client, member, interview):
    member(Role.RECRUITER)
    of_others = {"tried": interview.published}, {"set_aside_of": factories.InvitationFactory()}
    for fields in ({}, *of_others):
        factories.SessionFactory(invitation=factories.InvitationFactory(interview=interview, **fields))
    assert "1 candidate began with it" in client.get(address("versions", interview)).content.decode()


def test_page_of_versions_escapes_what_was_written(client, member, interview):
    member(Role.REVIEWER)
    factories.change(interview, title="<script>alert(1)</script>")
    assert "<script>alert" not in client.get(address("versions", interview)).content.decode()


def test_trying_leads_to_the_candidates_page(client, member, draft):
    recruiter = member(Role.RECRUITER)
    response = confirm(client, "try_it", draft)
    invitation = Invitation.objects.get()
    assert response.headers["HX-Redirect"] == invitation.url
    assert invitation.created_by == recruiter
    assert client.get(f"/i/{invitation.token}/").status_code == 200
    listed = client.get(reverse("admin:interviews_invitation_changelist")).content.decode()
    assert str(invitation.pk) not in listed


def test_copy_opens(client, member, interview):
    member(Role.RECRUITER)
    response = confirm(client, "duplicate", interview)
    copy = Interview.objects.exclude(pk=interview.pk).get()
    assert response.headers["HX-Redirect"] == address("change", copy)
    assert "(copy)" in page(client, copy)


def test_archived_interview_offers_no_invitation(client, member, interview):
    member(Role.RECRUITER)
    confirm(client, "archive", interview)
    text = page(client, interview)
    assert "Archived. Nobody more can be invited." in text
    assert address("restore", interview) in text
    assert address("archive", interview) not in text
    confirm(client, "restore", interview)
    assert "Draft. Publish it" in page(client, interview)
