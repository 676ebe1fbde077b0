"""The demo's team judges each candidate once, and leaves alone what people did."""

import pytest
from django.utils import timezone

from accounts.models import Membership
from interviews.actions.assignments import assign
from interviews.management import demo_team
from interviews.management.demo_content import REVIEWERS
from interviews.models import Decision, Mention, OpenLink, Session, Submission
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

WORDS = {
    "notes": [["General."], ["No reason."], ["A reason."], ["Two reasons."]],
    "reasons": {"advance": ["Clear examples."], "hold": ["We wait."], "reject": ["No example."]},
}
EMAIL = "ada-0@example.com"


@pytest.fixture
def interview():
    interview = factories.InterviewFactory(questions=2, published=False)
    factories.CriterionFactory.create_batch(2, interview=interview)
    factories.publish(interview)
    return interview


@pytest.fixture
def team(interview):
    """The recruiter and the reviewers, by name."""
    roles = dict.fromkeys(REVIEWERS, Membership.Role.REVIEWER) | {
        demo_team.RECRUITER: Membership.Role.RECRUITER
    }
    for username, role in roles.items():
        user = factories.UserFactory(username=username)
        factories.MembershipFactory(user=user, organisation=interview.organisation, role=role)
    return interview.organisation.users


@pytest.fixture
def finish(interview):
    """A function that makes the candidate who has finished."""

    def make():
        return factories.SessionFactory(
            invitation__interview=interview, invitation__candidate_email=EMAIL, finished=True
        )

    return make


def judge(interview, state="decided", note=""):
    demo_team.judge(interview=interview, email=EMAIL, state=state, note=note, words=WORDS)


def test_candidate_is_scored_by_both_and_decided_with_the_reason_for_the_outcome(interview, team, finish):
    session = finish()
    judge(interview)
    assert {each.scorecard.reviewer.username for each in Submission.objects.all()} == set(REVIEWERS)
    assert all(each.is_blind and len(each.scores) == 2 for each in Submission.objects.all())
    decision = session.decisions.get()
    assert decision.reason in WORDS["reasons"][decision.outcome]


def test_second_start_changes_nothing(interview, team, finish):
    finish()
    judge(interview, note="@reviewer please listen.")
    judge(interview, note="@reviewer please listen.")
    assert (Submission.objects.count(), Decision.objects.count()) == (2, 1)
    assert Mention.objects.get().person.username == "reviewer"


@pytest.mark.parametrize(("state", "scores", "decisions"), [("waiting", 0, 0), ("scored", 2, 0)])
def test_others_wait_for_a_score_or_a_decision(interview, team, finish, state, scores, decisions):
    session = finish()
    judge(interview, state)
    assert session.assignments.count() == len(REVIEWERS)
    assert (Submission.objects.count(), Decision.objects.count()) == (scores, decisions)


def test_candidate_whom_a_person_has_assigned_is_left_alone(interview, team, finish):
    session, person = finish(), team.get(username="second-reviewer")
    assign(sessions=[session], reviewers=[person], each=1, by=person, now=timezone.now())
    judge(interview)
    assert not Submission.objects.exists()


def test_nobody_is_judged_in_an_organisation_without_the_reviewers(interview, finish):
    finish()
    judge(interview)
    assert Session.objects.get().assignments.count() == 0


def test_open_link_is_offered_once_and_only_with_a_mail_server(interview, settings):
    by = factories.UserFactory()
    settings.EMAIL_URL = ""
    demo_team.open_link(interview=interview, places=50, by=by)
    assert not OpenLink.objects.exists()
    settings.EMAIL_URL = "smtp://localhost"
    demo_team.open_link(interview=interview, places=50, by=by)
    demo_team.open_link(interview=interview, places=50, by=by)
    assert OpenLink.objects.get().places == 50
