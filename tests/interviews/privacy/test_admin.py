"""Erasing a candidate in the admin."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts.models import Membership
from accounts.scoped_admin import ScopedModelAdmin
from interviews.models import Erasure, Invitation
from tests import factories
from tests.interviews.privacy.conftest import EMAIL, NAME
from tests.staff import member, ours, theirs  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
Role = Membership.Role


@pytest.fixture
def interview(ours):  # noqa: F811
    return factories.InterviewFactory(organisation=ours, questions=3)


def address(name: str, *args: object) -> str:
    return reverse(f"admin:interviews_{name}", args=args)


def confirm(candidate) -> str:
    return address("erasure_confirm", candidate.session.invitation_id)


@pytest.mark.parametrize("role", [Role.RECRUITER, Role.OWNER])
def test_page_says_what_goes_and_then_it_goes(client, member, candidate, role):  # noqa: F811
    user = member(role)
    response = client.get(address("invitation_erase", candidate.session.invitation_id))
    assert response["Location"] == confirm(candidate)
    page = client.get(confirm(candidate)).content.decode()
    assert NAME in page
    assert EMAIL in page
    assert "2 recordings" in page
    assert "1 transcript<" in page
    assert Invitation.objects.exists()

    response = client.post(confirm(candidate), follow=True)
    row = Erasure.objects.get()
    assert response.redirect_chain[-1][0] == address("erasure_change", row.pk)
    assert "The candidate was erased" in response.content.decode()
    assert (row.source, row.requested_by) == (Erasure.Source.RECRUITER, user)
    assert not Invitation.objects.exists()
    assert LogEntry.objects.get().object_repr == str(row.pk)
    assert client.post(confirm(candidate)).status_code == 404
    assert client.get(address("erasure_changelist")).status_code == 200


def test_reviewer_may_not_erase(client, member, candidate):  # noqa: F811
    member(Role.REVIEWER)
    assert client.get(confirm(candidate)).status_code == client.post(confirm(candidate)).status_code == 403
    assert client.get(address("invitation_erase", candidate.session.invitation_id)).status_code == 403
    assert client.get(address("erasure_changelist")).status_code == 403
    assert Invitation.objects.exists()


def test_another_organisation_finds_no_candidate(client, candidate, theirs):  # noqa: F811
    client.force_login(factories.MembershipFactory(organisation=theirs, role=Role.OWNER).user)
    assert client.get(confirm(candidate)).status_code == client.post(confirm(candidate)).status_code == 404
    row = candidate.erase()
    page = client.get(address("erasure_change", row.pk), follow=True).content.decode()
    assert candidate.session.interview.title not in page


def test_erased_candidates_still_count(client, member, candidate):  # noqa: F811
    member()
    candidate.erase()
    page = client.get(address("interview_changelist"))
    (row,) = page.context["cl"].result_list
    assert page.context["cl"].model_admin.invited(row) == 1


def test_log_names_rows_by_their_ids(client, member, interview):  # noqa: F811
    member()
    invitation = factories.InvitationFactory(interview=interview, candidate_name=NAME)
    revoke = address("invitation_revoke_link", invitation.pk)
    client.post(revoke, {"_form_submitted": "on"})
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.object_repr) == (str(invitation.pk), str(invitation.pk))


def test_every_admin_page_writes_the_log_without_names():
    pages = admin.site._registry.values()
    own = [page for page in pages if type(page).__module__.startswith(("interviews", "accounts"))]
    assert len(own) >= 8
    assert all(isinstance(page, ScopedModelAdmin) for page in own)
