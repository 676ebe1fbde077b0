import pytest
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import decisions, scorecards
from interviews.models import Invitation
from interviews.queries import scores
from tests.interviews.evaluation.conftest import (  # noqa: F401
    anna,
    assigned,
    ben,
    interview,
    make_session,
    reviewer,
    session,
    submit,
)
from tests.staff import ours  # noqa: F401

pytestmark = pytest.mark.django_db


def everybody():
    return Invitation.objects.counted()


def levels(viewer):
    return {each.asked.criterion.name: list(each.counts) for each in scores.levels(everybody(), viewer)}


def test_levels_are_of_first_scores(session, make_session, anna, ben, submit):  # noqa: F811
    other = make_session()
    submit(session, anna, 4, 0)
    submit(session, ben, 1, 2)
    submit(session, ben, 3, 2)
    submit(other, ben, 1, 3)
    assert levels(ben) == {"Candour": [0, 2, 0, 0, 1, 0], "Craft": [1, 0, 1, 1, 0, 0]}
    assert levels(anna) == {"Candour": [0, 1, 0, 0, 1, 0], "Craft": [1, 0, 1, 0, 0, 0]}


def test_levels_are_hidden_from_who_has_not_scored(session, anna, ben, submit):  # noqa: F811
    submit(session, anna, 4, 3)
    assert levels(ben) == {"Candour": [0] * 6, "Craft": [0] * 6}
    scorecards.show_others(session=session, by=ben, now=timezone.now())
    assert levels(ben)["Candour"][4] == 1


def test_candidates_behind_a_level_are_as_many_as_it_says(session, make_session, anna, ben, submit):  # noqa: F811
    submit(session, anna, 4, 0)
    submit(session, ben, 1, 2)
    submit(make_session(), ben, 1, 3)
    for each in scores.levels(everybody(), ben):
        name = scores.score_name(each.asked.criterion)
        found = [scores.behind(everybody(), name, level, viewer=ben).count() for level in scores.LEVELS]
        assert found == list(each.counts)


def test_decisions_are_counted_as_the_viewer_sees_them(session, make_session, reviewer, assigned):  # noqa: F811
    olga = reviewer("olga", Membership.Role.OWNER)
    make_session()
    decisions.decide(session=session, outcome="reject", reason="so", after=None, by=olga, now=timezone.now())
    assert scores.decisions(everybody(), olga) == {
        "advance": 0,
        "hold": 0,
        "reject": 1,
        "undecided": 1,
        "hidden": 0,
    }
    assert list(scores.behind(everybody(), "reject", 0, viewer=olga)) == [session.invitation]

    assigned(session, olga)

    assert scores.decisions(everybody(), olga)["reject"] == 0
    assert scores.decisions(everybody(), olga)["hidden"] == 1
    assert list(scores.behind(everybody(), "reject", 0, viewer=olga)) == []
    assert list(scores.behind(everybody(), "hidden", 0, viewer=olga)) == [session.invitation]


@pytest.mark.parametrize("name", ["", "score-", "score-x", "score-1__0", "shown_outcome", "score-٣"])
def test_no_other_name_is_a_figure(anna, name):  # noqa: F811
    assert scores.behind(everybody(), name, 0, viewer=anna) is None
