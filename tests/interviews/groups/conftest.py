"""An organisation that asks its candidates, and candidates who named groups and were decided."""

from datetime import UTC, date, datetime

import pytest

from interviews.actions import groups
from interviews.models import Decision, GroupDeclaration, GroupSurvey, Session
from interviews.texts.groups import RACE, SEX
from tests import factories
from tests.staff import member, ours, theirs  # noqa: F401

FEMALE, MALE, ASIAN = "eeo1.female", "eeo1.male", "eeo1.asian"
IN_QUARTER = datetime(2026, 2, 10, 12, tzinfo=UTC)
SETTLED = datetime(2026, 5, 2, tzinfo=UTC)
"""A month and a day after the quarter's end."""


@pytest.fixture
def survey(ours):  # noqa: F811
    """EEO-1's questions, asked since the beginning of the year before."""
    return GroupSurvey.objects.create(organisation=ours, is_asked=True, asked_since=date(2025, 1, 1))


@pytest.fixture
def interview(ours, survey):  # noqa: F811
    return factories.InterviewFactory(organisation=ours, title="Keeper of bees", questions=1)


@pytest.fixture
def make_finished(interview):
    """A function that makes a finished interview whose candidate named groups."""

    def make(*named: str, outcome: str = "", finished_at: datetime = IN_QUARTER, of=interview) -> Session:
        session = factories.SessionFactory(invitation__interview=of, finished=True, finished_at=finished_at)
        if named:
            row = GroupDeclaration(invitation=session.invitation)
            row.groups = dict(zip((SEX, RACE), named, strict=False))
            row.save()
        if outcome:
            Decision.objects.create(session=session, outcome=outcome, reason="so")
        return session

    return make


@pytest.fixture
def few_suffice(monkeypatch):
    """Twenty who named a group are enough for a report."""
    monkeypatch.setattr(groups, "LEAST_DECLARED", 20)


@pytest.fixture
def quarter(make_finished, few_suffice):
    """Twelve women, of whom four advance, and twelve men, of whom eight do."""
    return [
        make_finished(sex, outcome="advance" if n < advanced else "reject")
        for sex, advanced in ((FEMALE, 4), (MALE, 8))
        for n in range(12)
    ]


def count(now: datetime = SETTLED) -> int:
    return groups.count_due(now=now)
