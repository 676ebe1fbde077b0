import csv
import io
import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import Membership
from interviews.actions import decisions, erasure, scorecards
from tests import factories

Role = Membership.Role
PAGE = reverse("analytics")


def page_of(client, **parameters) -> str:
    response = client.get(PAGE, parameters)
    assert response.status_code == 200
    return response.content.decode()


def table_of(client, **parameters) -> dict[tuple[str, str, str], str]:
    response = client.get(reverse("analytics-csv"), parameters)
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return {tuple(row[:3]): row[3] for row in csv.reader(io.StringIO(text, newline=""))}


def invited(client, **parameters) -> str:
    return table_of(client, **parameters)["Funnel", "Invited", "Candidates"]


def test_figures_are_shown_with_their_charts(client, member, finished):
    member(Role.REVIEWER)
    page = page_of(client)
    for title in ("Funnel", "Questions", "Lengths of spoken answers", "How long speech takes"):
        assert f'aria-label="{title}"' in page
    charts = re.findall(r'data-type="bar" data-value="([^"]+)"', page)
    assert len(charts) == 6
    assert json.loads(charts[0].replace("&quot;", '"'))["datasets"][0]["data"] == [1, 1, 1, 1]
    assert "=Why &lt;b&gt;bees&lt;/b&gt;?" in page


@pytest.mark.parametrize(("role", "is_led"), [(Role.OWNER, True), (Role.RECRUITER, False)])
def test_figures_of_one_interview_lead_its_owner_to_the_agreement(client, member, finished, role, is_led):
    member(role)
    interview = finished.invitation.interview
    agreement = reverse("admin:interviews_interview_agreement", args=[interview.pk])
    assert (agreement in page_of(client, interview=interview.pk)) == is_led
    assert agreement not in page_of(client)


def test_a_page_without_candidates_says_so(client, member):
    member(Role.REVIEWER)
    page = page_of(client)
    assert "Nothing in these days." in page
    assert "<canvas" in page, "the funnel has its steps"


def test_figures_lead_to_the_candidates_behind_them(client, member, finished):
    member(Role.REVIEWER)
    addresses = re.findall(r'href="(/admin/analytics/candidates/[^"]+)"', page_of(client))
    assert len(addresses) == 7
    for address in addresses:
        listed = client.get(address.replace("&amp;", "&")).content.decode()
        assert reverse("admin:interviews_session_change", args=[finished.pk]) in listed
        assert "1 candidate" in listed


def test_others_and_trials_are_not_counted(client, member, interview, finished):
    member(Role.OWNER)
    factories.SessionFactory(invitation__candidate_name="Mallory", finished=True)
    factories.SessionFactory(invitation__interview=interview, invitation__tried=interview.published)
    assert invited(client) == "1"
    listed = client.get(reverse("analytics-behind"), {"figure": "invited"}).content.decode()
    assert "Mallory" not in listed


def test_reviewer_by_assignment_counts_no_erasures(client, member, ours, finished):
    ours.is_review_by_assignment = True
    ours.save()
    erasure.erase_candidate(invitation=finished.invitation, by="test", now=timezone.now())
    member(Role.REVIEWER)
    figures = [value for (group, *_), value in table_of(client).items() if group == "Funnel"]
    assert set(figures) <= {"0", ""}
    member(Role.RECRUITER)
    assert invited(client) == "1"


def test_interview_of_another_organisation_is_no_choice(client, member, finished):
    member(Role.OWNER)
    foreign = factories.InterviewFactory(title="Secret opening")
    page = page_of(client, interview=foreign.pk)
    assert "Secret opening" not in page
    assert "Take these figures away" not in page
    assert client.get(reverse("analytics-csv"), {"interview": foreign.pk}).status_code == 404


def test_days_interview_and_job_choose(client, member, ours, interview, finished):
    member(Role.RECRUITER)
    other = factories.InterviewFactory(organisation=ours, job_title="Shepherd")
    old = timezone.now() - timedelta(days=200)
    factories.InvitationFactory(interview=other, created_at=old)
    early, today = (old - timedelta(days=1)).date().isoformat(), timezone.localdate().isoformat()
    assert invited(client) == "1"
    assert invited(client, first=early) == "2"
    assert invited(client, first=early, last=old.date().isoformat()) == "1"
    assert invited(client, first=early, job="Shepherd") == "1"
    assert invited(client, interview=interview.pk, last=today) == "1"
    assert invited(client, interview=other.pk) == "0"


@pytest.mark.parametrize(
    "wrong",
    [
        *({"first": "2026-02-02", "last": "2026-02-01"}, {"first": "9999-12-31"}, {"last": "0001-01-01"}),
        *({"first": "x"}, {"interview": "x"}, {"job": "no such job"}),
    ],
)
def test_impossible_choice_is_explained_and_not_exported(client, member, finished, wrong):
    member(Role.OWNER)
    assert "<canvas" not in page_of(client, **wrong)
    assert client.get(reverse("analytics-xlsx"), wrong).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{}, {"figure": "token"}, {"figure": "took", "number": "-1"}, {"figure": "stopped", "number": "²"}],
)
def test_no_other_figure_has_candidates(client, member, wrong):
    member(Role.OWNER)
    assert client.get(reverse("analytics-behind"), wrong).status_code == 404


def test_both_tables_say_the_same_and_hold_no_formula(client, member, finished):
    member(Role.REVIEWER)
    table = table_of(client)
    response = client.get(reverse("analytics-xlsx"))
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    [header, *rows] = [[cell.value for cell in row] for row in sheet.iter_rows()]
    numbers = {tuple(row[:3]): row[3] for row in rows}
    assert numbers == {
        key: float(value) if value else None for key, value in table.items() if key != tuple(header[:3])
    }
    assert table["Questions", "1. =Why <b>bees</b>?", "Answered"] == "1"
    assert ".xlsx" in response["Content-Disposition"]


def test_number_of_queries_stays_the_same(client, member, interview, finished, django_assert_max_num_queries):
    member(Role.RECRUITER)
    for _ in range(20):
        session = factories.SessionFactory(invitation__interview=interview, finished=True)
        factories.AnswerFactory(session=session, position=1, accepted=True)
    with django_assert_max_num_queries(16):
        page_of(client)
    with django_assert_max_num_queries(12):
        client.get(reverse("analytics-behind"), {"figure": "finished"})


def test_long_list_has_pages(client, member, interview, monkeypatch):
    member(Role.REVIEWER)
    monkeypatch.setattr("interviews.analytics.pages.SHOWN", 2)
    factories.InvitationFactory.create_batch(3, interview=interview)
    page = client.get(reverse("analytics-behind"), {"figure": "invited"}).content.decode()
    assert "1 / 2" in page
    assert 'rel="next"' in page


@pytest.fixture
def scored(ours):
    """Two candidates whom a reviewer has scored, the second of whom is rejected."""
    interview = factories.InterviewFactory(organisation=ours, questions=1, published=False, title="Keeper")
    factories.CriterionFactory(interview=interview, name="Candour")
    factories.publish(interview)
    reviewer = factories.MembershipFactory(organisation=ours, role=Role.REVIEWER).user
    sessions = [factories.SessionFactory(invitation__interview=interview, finished=True) for _ in range(2)]
    for session, level in zip(sessions, (4, 2), strict=True):
        given = {str(each.id): (level, "") for each in session.definition.criteria}
        scorecards.submit(session=session, scores=given, by=reviewer, now=timezone.now())
    reject = {"outcome": "reject", "reason": "so", "after": None, "by": reviewer, "now": timezone.now()}
    decisions.decide(session=sessions[1], **reject)
    return sessions


def levels(table) -> dict[str, str]:
    return {
        column: number for (panel, _row, column), number in table.items() if panel == "Scores by criterion"
    }


def test_levels_and_decisions_are_in_the_tables(client, member, scored):
    client.force_login(scored[0].scorecards.get().reviewer)
    table = table_of(client)
    assert levels(table) == {
        "No basis": "0",
        "Level 1": "0",
        "Level 2": "1",
        "Level 3": "0",
        "Level 4": "1",
        "Level 5": "",
    }
    assert table["Decisions", "Reject", "Candidates"] == "1"
    assert table["Decisions", "Not decided", "Candidates"] == "1"


def test_level_leads_to_its_candidate(client, scored):
    client.force_login(scored[0].scorecards.get().reviewer)
    addresses = re.findall(r'href="([^"]+figure=(?:score-\d+|reject)[^"]+)"', page_of(client))
    assert len(addresses) == 3
    listed = client.get(addresses[-2].replace("&amp;", "&")).content.decode()
    assert "1 candidate" in listed
    assert scored[1].invitation.candidate_name in listed


def test_who_has_not_scored_learns_no_level_and_no_decision(client, member, scored):
    member(Role.REVIEWER)
    table = table_of(client)
    assert set(levels(table).values()) == {"0", ""}
    assert table["Decisions", "Reject", "Candidates"] == "0"
    assert table["Decisions", "After your score", "Candidates"] == "2"
    listed = client.get(reverse("analytics-behind"), {"figure": "reject"}).content.decode()
    assert scored[1].invitation.candidate_name not in listed


def test_reviewer_who_is_limited_to_assigned_candidates_counts_those(client, member, ours, scored):
    ours.is_review_by_assignment = True
    ours.save()
    user = member(Role.REVIEWER)
    scored[0].assignments.create(reviewer=user)
    scorecards.show_others(session=scored[0], by=user, now=timezone.now())
    table = table_of(client)
    assert (levels(table)["Level 4"], levels(table)["Level 2"]) == ("1", "0")
    assert sum(int(number) for (panel, *_), number in table.items() if panel == "Decisions") == 1
