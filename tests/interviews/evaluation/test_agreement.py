"""Agreement between reviewers: the arithmetic, by published figures, and which scores count."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import attempts
from interviews.queries import agreement
from interviews.queries.agreement import alpha, measured
from tests import factories

PUBLISHED = [
    *([1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4]),
    *([4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [5, 5, 5], [1, 1], [3]),
]
"""Four observers and twelve units. Source: Krippendorff 2011, section C; its ordinal alpha is 0.815."""


def test_alpha_is_the_published_one():
    assert alpha(PUBLISHED) == pytest.approx(0.815, abs=0.0005)


@pytest.mark.parametrize(
    ("units", "expected"),
    [([[1, 1], [4, 4]], 1.0), ([[2, 2], [2, 2]], None), ([], None), ([[1]], None), ([[1, 2], [2, 1]], -0.5)],
    ids=["all agree", "nothing differs", "no units", "one score", "none agrees"],
)
def test_alpha_at_the_edges(units, expected):
    assert alpha(units) == (pytest.approx(expected) if expected is not None else None)


def test_shares_count_pairs():
    found = measured(None, [[1, 1, 2], [1, 3], [4]])
    assert (found.candidates, found.pairs) == (2, 4)
    assert found.exact == pytest.approx(1 / 4)
    assert found.within_one == pytest.approx(3 / 4)
    assert not found.is_shown


@pytest.mark.django_db
class TestWhatCounts:
    @pytest.fixture
    def owner(self, reviewer):
        return reviewer("olga", Membership.Role.OWNER)

    def pairs(self, interview, viewer):
        return [each.pairs for each in agreement.of(interview, viewer)]

    def test_first_blind_scores_count(self, interview, session, anna, ben, owner, submit):
        submit(session, anna, 1, 0)
        submit(session, ben, 2, 2)
        submit(session, ben, 4, 2)
        candour, craft = agreement.of(interview, owner)
        assert (candour.pairs, candour.exact, candour.within_one) == (1, 0, 1)
        assert craft.pairs == 0, "no basis is no level"

    def test_candidates_that_the_viewer_is_to_score_do_not(
        self, interview, session, anna, ben, owner, submit, assigned
    ):
        submit(session, anna, 1, 1)
        submit(session, ben, 2, 2)
        assigned(session, owner)
        assert self.pairs(interview, owner) == [0, 0]
        submit(session, owner, 2, 2)
        assert self.pairs(interview, owner) == [3, 3]

    def test_scores_of_attempts_set_aside_do_not(self, interview, session, anna, ben, owner, submit):
        submit(session, anna, 1, 1)
        submit(session, ben, 1, 1)
        attempts.reset(invitation=session.invitation, by=owner, now=timezone.now())
        assert self.pairs(interview, owner) == [0, 0]

    def test_versions_are_read_once_however_many_scores(
        self, interview, make_session, anna, ben, owner, submit
    ):
        for _ in range(3):
            session = make_session()
            submit(session, anna, 1, 1)
            submit(session, ben, 1, 1)
        with CaptureQueriesContext(connection) as queries:
            assert self.pairs(interview, owner) == [3, 3]
        [scores] = [each["sql"] for each in queries if "interviews_submission" in each["sql"]]
        assert "interviews_interviewversion" not in scores

    def test_scores_by_other_levels_do_not(self, interview, session, anna, ben, owner, submit):
        submit(session, anna, 1, 1)
        submit(session, ben, 1, 1)
        criterion = interview.criteria.get(name="Craft")
        criterion.levels = ["no", "yes"]
        criterion.save()
        factories.publish(interview)
        assert self.pairs(interview, owner) == [1, 0]
