"""The search page."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import search_index
from voice.encryption import keys

Role = Membership.Role
pytestmark = pytest.mark.django_db


def page(client, **parameters):
    response = client.get(reverse("search"), parameters)
    assert response.status_code == 200
    return response.content.decode()


def test_hit_has_its_candidate_question_and_a_link_that_plays(client, member, say):
    member(Role.REVIEWER)
    answer = say("I built a small service that reads invoices")
    text = page(client, q="invoice")
    assert answer.session.invitation.candidate_name in text
    assert answer.question_text in text
    assert "<mark>invoices</mark>" in text
    assert f"{reverse('admin:interviews_session_change', args=[answer.session_id])}?answer=1&amp;t=2" in text


def test_words_of_candidates_and_of_the_address_are_text(client, member, say):
    member(Role.REVIEWER)
    say("<script>alert(1)</script> turnips \ue000<b>\ue001")
    text = page(client, q='turnips "<i>x')
    assert "<script>alert" not in text
    text = page(client, q="turnips")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; <mark>turnips</mark> &lt;b&gt;" in text


def test_other_organisations_are_not_searched(client, member, say, theirs):
    member(Role.OWNER)
    foreign = say("turnips", organisation=theirs)
    text = page(client, q="turnips")
    assert "Nothing was found" in text
    assert foreign.session.invitation.candidate_name not in text
    assert "Nothing was found" in page(client, q="turnips", interview=foreign.session.interview.title)


def test_part_of_a_title_limits_it(client, member, say):
    member(Role.REVIEWER)
    answer = say("turnips")
    assert "<mark>" in page(client, q="turnips", interview=answer.session.interview.title[3:].upper())
    assert "Nothing was found" in page(client, q="turnips", interview="no such interview")


@pytest.fixture
def by_assignment(ours):
    ours.is_review_by_assignment = True
    ours.save()


def test_reviewer_by_assignment_finds_the_own_candidate_behind_newer_ones(
    client, member, say, by_assignment, monkeypatch
):
    monkeypatch.setattr("interviews.queries.transcript_search.MOST", 1)
    person = member(Role.REVIEWER)
    own = say("turnips", completed_at=timezone.now() - timedelta(days=9))
    own.session.assignments.create(reviewer=person)
    others = [say("turnips") for _ in range(2)]
    text = page(client, q="turnips")
    assert own.session.invitation.candidate_name in text
    assert others[0].session.invitation.candidate_name not in text


def test_reviewer_by_assignment_does_not_learn_that_others_said_it(
    client, member, say, by_assignment, monkeypatch
):
    monkeypatch.setattr("interviews.queries.transcript_search.MOST", 1)
    member(Role.REVIEWER)
    for _ in range(2):
        say("turnips")
    found = client.get(reverse("search"), {"q": "turnips"}).context["found"]
    assert (found.hits, found.has_more) == ([], False)


@pytest.mark.parametrize(
    "parameters",
    [
        *({}, {"q": ""}, {"q": " "}, {"q": "x" * 201}, {"q": "a", "since": "yesterday"}),
        *({"q": "a", "until": "9999-12-31"}, {"q": "a", "since": "0001-01-01"}, {"interview": "a"}),
    ],
)
def test_odd_parameters_are_no_failure(client, member, say, parameters):
    member(Role.REVIEWER)
    say("a turnip")
    assert "ip-search" in page(client, **parameters)


def test_encrypted_answers_are_in_no_index_and_the_page_says_so(client, member, say, encryption):
    member(Role.REVIEWER)
    say("I weigh turnips")
    say("I weigh potatoes", recording__data_key=keys.reserve())

    assert search_index.repair(since=None) == 0
    assert "<mark>turnips</mark>" in page(client, q="turnips")
    found = page(client, q="potatoes")
    assert ("<mark>" in found, "recording is encrypted are not searched" in found) == (False, True)


def test_the_page_tells_of_no_encryption_where_there_is_none(client, member):
    member(Role.REVIEWER)

    assert "encrypted" not in page(client)
