"""Recruiters paste a job description, see how far it is, and go on with the draft."""

import pytest
from django.urls import reverse

from accounts.models import Membership
from interviews import jobs
from interviews.models import Interview, JobDescription
from tests import factories
from tests.interviews.brain.test_interview_draft import DESCRIPTIONS
from tests.staff import member, ours, theirs  # noqa: F401
from tests.vendors.language_model import NAME

Role = Membership.Role
NEW = "admin:interviews_jobdescription_new"
ADD_INTERVIEW = "admin:interviews_interview_add"
LINK = "Draft from a job description"
TEXT = DESCRIPTIONS["en"]


@pytest.fixture
def recruiter(member, ours, language_model):  # noqa: F811
    factories.Organisation.objects.filter(pk=ours.pk).update(is_language_model_used=True)
    ours.refresh_from_db()
    return member(Role.RECRUITER)


def post(client, **changed):
    own = factories.Organisation.objects.get(name="Ours")
    values = {"organisation": own.pk, "text": TEXT, "language": "en", "question_count": "4"}
    return client.post(reverse(NEW), values | changed)


def row_of(client, **changed) -> JobDescription:
    assert post(client, **changed).status_code == 302
    return JobDescription.objects.latest("created_at")


def url(name, row):
    return reverse(f"admin:interviews_jobdescription_{name}", args=[row.pk])


def page(client, address):
    return client.get(address).content.decode()


def test_recruiter_comes_from_the_form_to_a_draft(client, recruiter, ours):  # noqa: F811
    assert reverse(NEW) in page(client, reverse(ADD_INTERVIEW))
    form = page(client, reverse(NEW))
    assert f"The whole text is sent to {NAME}." in form
    row = row_of(client)
    assert (row.organisation, row.created_by, row.question_count) == (ours, recruiter, 4)
    assert "It waits for its turn." in page(client, url("change", row))

    jobs.draft_interview(str(row.pk))

    shown = page(client, url("change", row))
    interview = Interview.objects.get()
    assert reverse("admin:interviews_interview_change", args=[interview.pk]) in shown
    assert "interview_draft/1" in shown
    edited = page(client, reverse("admin:interviews_interview_change", args=[interview.pk]))
    assert url("change", row) in edited
    assert "Draft. Publish it to invite candidates." in edited


def test_page_that_knows_how_far_it_is_gets_nothing_new(client, recruiter):
    row = row_of(client)
    assert client.get(url("progress", row) + "?seen=waiting").status_code == 204

    jobs.draft_interview(str(row.pk))
    part = page(client, url("progress", row) + "?seen=waiting")
    assert "The draft is ready." in part
    assert "hx-get" not in part


def test_what_was_left_out_is_told_with_the_reason(client, recruiter, language_model):
    language_model.temper = "prying"
    row = row_of(client)
    jobs.draft_interview(str(row.pk))

    shown = page(client, url("change", row))
    assert "2 parts of the answer were left out" in shown
    assert "touches on age" in shown


def test_failure_is_told_and_tried_again(client, recruiter, language_model):
    language_model.temper = "refusing"
    row = row_of(client)
    jobs.draft_interview(str(row.pk))
    assert "The model refused to answer." in page(client, url("change", row))

    response = client.post(url("again", row))

    newer = JobDescription.objects.latest("created_at")
    assert newer != row
    assert response["Location"] == url("change", newer)


def test_drafting_is_cancelled(client, recruiter):
    row = row_of(client)
    client.post(url("cancel", row))

    row.refresh_from_db()
    assert row.status == "cancelled"
    shown = client.post(url("cancel", row), follow=True).content.decode()
    assert "It is not waiting any more." in shown


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": "Nurse"}, "at least 80 characters"),
        ({"text": ""}, "This field is required."),
        ({"text": TEXT + "\0"}, "Null characters are not allowed."),
        ({"question_count": "2"}, "greater than or equal to 3"),
        ({"question_count": "13"}, "less than or equal to 12"),
        ({"language": "it"}, "Select a valid choice."),
    ],
)
def test_form_says_what_is_wrong(client, recruiter, change, told):
    assert told in post(client, **change).content.decode()
    assert not JobDescription.objects.exists()


def test_second_one_at_a_time_is_refused_with_the_reason(client, recruiter):
    row_of(client)

    assert "Another interview of your organisation is being drafted." in post(client).content.decode()


def test_job_description_of_another_organisation_is_not_found(client, recruiter, theirs):  # noqa: F811
    row = JobDescription.objects.create(organisation=theirs, text=f"Secret. {TEXT}")

    for name in ("change", "progress", "delete"):
        response = client.get(url(name, row))
        assert response.status_code == 404 or response["Location"] == reverse("admin:index")
    for name in ("cancel", "again"):
        assert client.post(url(name, row)).status_code == 404
    assert "Secret" not in page(client, reverse("admin:interviews_jobdescription_changelist"))
    post(client, organisation=theirs.pk)
    assert JobDescription.objects.filter(organisation=theirs).count() == 1


def test_words_of_a_job_description_are_text_and_nothing_else(client, recruiter):
    row = row_of(client, text=f"<script>alert(1)</script> {TEXT}")
    jobs.draft_interview(str(row.pk))

    shown = page(client, url("change", row))
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown


def test_one_that_is_at_the_model_is_neither_cancelled_nor_deleted(client, recruiter):
    row = row_of(client)
    JobDescription.objects.update(status="sent")

    shown = page(client, url("change", row))
    assert url("cancel", row) not in shown
    assert url("delete", row) not in shown
    assert client.post(url("delete", row), {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    client.post(reverse("admin:interviews_jobdescription_changelist"), selected)
    client.post(url("cancel", row))
    row.refresh_from_db()
    assert row.status == "sent"


def test_deleting_keeps_the_draft(client, recruiter):
    row = row_of(client)
    jobs.draft_interview(str(row.pk))
    client.post(url("delete", row), {"post": "yes"})

    assert not JobDescription.objects.exists()
    assert Interview.objects.count() == 1


# --- Where it is absent -----------------------------------------------------------------------------


def assert_absent(client):
    assert client.get(reverse(NEW)).status_code == 403
    assert post(client).status_code == 403
    assert LINK not in page(client, reverse(ADD_INTERVIEW))
    assert not JobDescription.objects.exists()


def test_it_is_absent_where_the_organisation_does_not_use_the_model(client, recruiter):
    factories.Organisation.objects.update(is_language_model_used=False)

    assert_absent(client)


def test_it_is_absent_without_a_model(client, recruiter, settings):
    settings.LLM_NAME = ""

    assert_absent(client)


def test_it_is_absent_for_reviewers(client, recruiter, member):  # noqa: F811
    row = row_of(client)
    jobs.draft_interview(str(row.pk))
    interview = Interview.objects.get()
    member(Role.REVIEWER)

    assert client.get(reverse(NEW)).status_code == 403
    assert client.get(url("progress", row)).status_code == 404
    shown = page(client, reverse("admin:interviews_interview_change", args=[interview.pk]))
    assert url("change", row) not in shown


def test_member_of_two_organisations_chooses_one_that_uses_the_model(client, recruiter, theirs):  # noqa: F811
    factories.MembershipFactory(user=recruiter, organisation=theirs, role=Role.OWNER)
    assert 'type="hidden" name="organisation"' in page(client, reverse(NEW))

    factories.Organisation.objects.update(is_language_model_used=True)
    assert theirs.name in page(client, reverse(NEW))
    assert row_of(client, organisation=theirs.pk).organisation == theirs
