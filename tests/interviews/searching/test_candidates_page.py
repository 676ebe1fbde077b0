"""Candidates across interviews: one address in one organisation."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.models import Invitation
from interviews.queries import candidates
from tests import factories

Role = Membership.Role
pytestmark = pytest.mark.django_db


def invite(organisation, email, *, days_ago=0, name="Ada Lovelace", **fields):
    interview = factories.InterviewFactory(organisation=organisation, questions=1)
    return factories.InvitationFactory(
        interview=interview,
        candidate_name=name,
        candidate_email=email,
        created_at=timezone.now() - timedelta(days=days_ago),
        **fields,
    )


def listed(client, **parameters):
    return client.get(reverse("candidates"), parameters)


def rows(response):
    return [(row.pk, count) for row, count, _label in response.context["rows"]]


def test_same_address_is_one_candidate(client, member, ours):
    member(Role.REVIEWER)
    invite(ours, "Ada@example.org", days_ago=2)
    newest = invite(ours, "ada@example.org", days_ago=1)
    other = invite(ours, "bob@example.org", days_ago=3)
    assert rows(listed(client)) == [(newest.pk, 2), (other.pk, 1)]


def test_candidates_without_an_address_are_persons_of_their_own(client, member, ours):
    member(Role.REVIEWER)
    first, second = invite(ours, "", days_ago=1), invite(ours, "")
    assert rows(listed(client)) == [(second.pk, 1), (first.pk, 1)]


def test_other_organisations_and_trials_are_left_out(client, member, ours, theirs):
    member(Role.OWNER)
    own = invite(ours, "ada@example.org", days_ago=1)
    foreign = invite(theirs, "ada@example.org")
    trial = invite(ours, "ada@example.org")
    Invitation.objects.filter(pk=trial.pk).update(tried=trial.interview.published)
    response = listed(client)
    assert rows(response) == [(own.pk, 1)]
    assert client.get(reverse("candidate", args=[foreign.pk])).status_code == 404
    page = client.get(reverse("candidate", args=[own.pk])).content.decode()
    assert own.interview.title in page
    assert foreign.interview.title not in page
    assert trial.interview.title not in page


def test_history_has_dates_status_and_who_to_ask(client, member, ours):
    member(Role.REVIEWER)
    recruiter = factories.UserFactory(first_name="Rita", last_name="Rose", email="rita@example.com")
    old = invite(ours, "ada@example.org", days_ago=9, name="Ada Byron", created_by=recruiter)
    session = factories.SessionFactory(
        invitation=invite(ours, "ADA@example.org"), status="finished", finished_at=timezone.now()
    )
    page = client.get(reverse("candidate", args=[old.pk])).content.decode()
    assert reverse("admin:interviews_session_change", args=[session.pk]) in page
    assert reverse("admin:interviews_invitation_change", args=[old.pk]) in page
    assert "Rita Rose (rita@example.com)" in page
    assert "Ada Byron" in page, "a name of before"


def test_pages_follow_each_other_without_a_gap(client, member, ours, monkeypatch):
    monkeypatch.setattr("interviews.searching.candidates_page.ON_A_PAGE", 2)
    member(Role.REVIEWER)
    made = [invite(ours, f"c{n}@example.org", days_ago=n).pk for n in range(5)]
    seen, before = [], {}
    while True:
        response = listed(client, **before)
        seen += [key for key, _count in rows(response)]
        if response.context["next"] is None:
            break
        before = {"before": response.context["next"]}
    assert seen == made


def test_reviewer_by_assignment_finds_the_own_candidate_and_no_other_interview(client, member, ours):
    ours.is_review_by_assignment = True
    ours.save()
    person = member(Role.REVIEWER)
    own = invite(ours, "ada@example.org", days_ago=9)
    factories.SessionFactory(invitation=own).assignments.create(reviewer=person)
    other = invite(ours, "ada@example.org", name="Ada Byron")
    assert rows(listed(client)) == [(own.pk, 1)]
    page = client.get(reverse("candidate", args=[own.pk])).content.decode()
    assert own.interview.title in page
    assert other.interview.title not in page
    assert "Ada Byron" not in page


def test_attempt_that_was_set_aside_is_no_further_interview(client, member, ours):
    member(Role.REVIEWER)
    own = invite(ours, "ada@example.org", days_ago=1)
    invite(ours, "ada@example.org", set_aside_of=own)
    assert rows(listed(client)) == [(own.pk, 1)]


def test_name_or_address_is_searched(client, member, ours):
    member(Role.REVIEWER)
    ada = invite(ours, "ada@example.org")
    invite(ours, "bob@example.org", name="Bob <b>")
    assert rows(listed(client, q="LOVE")) == [(ada.pk, 1)]
    assert rows(listed(client, q="ada@")) == [(ada.pk, 1)]
    assert "Bob &lt;b&gt;" in listed(client, q="bob").content.decode()


@pytest.mark.parametrize("parameters", [{"before": "x"}, {"before": "0" * 32}, {"q": "x" * 300}])
def test_odd_parameters_are_no_failure(client, member, ours, parameters):
    member(Role.REVIEWER)
    assert listed(client, **parameters).status_code == 200


def test_number_of_statements_does_not_grow(client, member, ours, django_assert_num_queries):
    invite(ours, "ada@example.org")
    own = Invitation.objects.all()
    for _ in range(2):
        with django_assert_num_queries(2):
            found = candidates.page_of(own, length=50)
            assert len(candidates.count_invitations(found, among=own)) == len(found)
        for n in range(9):
            invite(ours, f"c{n}@example.org")
