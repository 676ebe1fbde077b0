"""An organisation with reviewers, and a finished interview that can be scored by two criteria."""

import pytest
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import scorecards
from interviews.actions.assignments import assign
from interviews.models import Session
from tests import factories
from tests.staff import member, ours, theirs  # noqa: F401

Role = Membership.Role


@pytest.fixture
def interview(ours):  # noqa: F811
    interview = factories.InterviewFactory(organisation=ours, questions=2, published=False)
    factories.CriterionFactory(interview=interview, name="Candour")
    factories.CriterionFactory(interview=interview, name="Craft")
    factories.publish(interview)
    return interview


@pytest.fixture
def make_session(interview):
    def make(**fields):
        session = factories.SessionFactory(invitation__interview=interview, finished=True, **fields)
        return Session.objects.get(pk=session.pk)

    return make


@pytest.fixture
def session(make_session):
    return make_session(invitation__candidate_name="Ada")


@pytest.fixture
def reviewer(ours):  # noqa: F811
    """A function that makes a member with this name."""

    def make(name, role=Role.REVIEWER):
        user = factories.UserFactory(username=name)
        factories.MembershipFactory(user=user, organisation=ours, role=role)
        return user

    return make


@pytest.fixture
def anna(reviewer):
    return reviewer("anna")


@pytest.fixture
def ben(reviewer):
    return reviewer("ben")


def scores(session, *levels, note=""):
    """The scores of a session with these levels, in the order of the rubric."""
    criteria = session.definition.criteria
    return {str(each.id): (level, note) for each, level in zip(criteria, levels, strict=True)}


@pytest.fixture
def submit():
    def submit(session, by, *levels, note=""):
        given = scores(session, *levels, note=note)
        return scorecards.submit(session=session, scores=given, by=by, now=timezone.now())

    return submit


@pytest.fixture
def assigned():
    def give(session, *reviewers):
        by = reviewers[0]
        assign(
            sessions=[session],
            reviewers=list(reviewers),
            each=len(reviewers),
            by=by,
            now=timezone.now(),
        )

    return give
