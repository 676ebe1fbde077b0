"""Where candidates are, and who sees which of them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership
from interviews.models import Assignment, Invitation, Session
from interviews.queries import watching
from interviews.queries.progress import Progress
from interviews.queries.watching import Doing, Told
from tests import factories

NOW = timezone.now()


def told(position=1, status="pending", *, follow_up=0, awaits=False):
    kind = "follow_up" if follow_up else "question"
    return Told(None, kind, position, follow_up, status, NOW if awaits else None)


@pytest.mark.parametrize(
    ("status", "answers", "doing", "number"),
    [
        ("checking", [told()], Doing.CHECKING, ""),
        ("practising", [told()], Doing.PRACTISING, ""),
        ("under_way", [told(), told(2)], Doing.BETWEEN, "1"),
        ("under_way", [told(1, "asked"), told(2)], Doing.THINKING, "1"),
        ("under_way", [told(1, "accepted"), told(2, "recording")], Doing.ANSWERING, "2"),
        ("under_way", [told(1, "accepted"), told(2, "recorded")], Doing.ANSWERED, "2"),
        ("under_way", [told(1, "accepted", awaits=True), told(2)], Doing.AWAITING, "1"),
        ("under_way", [told(1, "accepted"), told(1, "asked", follow_up=1)], Doing.THINKING, "1.1"),
        ("under_way", [told(1, "accepted")], Doing.BETWEEN, ""),
        ("under_way", [], Doing.BETWEEN, ""),
    ],
)
def test_stand_is_that_of_the_candidates_page(status, answers, doing, number):
    assert watching.stand(status, answers)[:2] == (doing, number)


@pytest.mark.parametrize(
    "answers",
    [
        [told(1, "pending")],
        [told(1, "asked")],
        [told(1, "recording")],
        [told(1, "recorded")],
        [told(1, "accepted", awaits=True)],
    ],
)
def test_stand_without_pace_is_the_same_for_a_whole_question(answers):
    assert watching.without_pace(watching.stand("under_way", answers))[:2] == (Doing.AT_QUESTION, "1")


def test_stand_without_pace_still_tells_what_comes_before_the_questions():
    stand = watching.stand("practising", [told()])
    assert watching.without_pace(stand) == stand


def test_progress_counts_questions_and_no_follow_ups():
    answers = [told(1, "accepted"), told(1, "accepted", follow_up=1), told(2, "asked")]
    assert watching.stand("under_way", answers).progress == Progress(1, 2)


def under_way(interview, **fields):
    return factories.SessionFactory(
        started=True, invitation__interview=interview, status="under_way", **fields
    )


@pytest.mark.django_db
class TestUnderWay:
    @pytest.fixture
    def interview(self):
        return factories.InterviewFactory(questions=1)

    @pytest.fixture
    def member(self, interview):
        def make(role):
            return factories.MembershipFactory(organisation=interview.organisation, role=role).user

        return make

    def test_ended_foreign_and_uncounted_interviews_are_not_there(self, interview, member):
        here = under_way(interview)
        factories.SessionFactory(invitation__interview=interview, finished=True)
        under_way(interview, invitation__status=Invitation.Status.REVOKED)
        under_way(interview, invitation__tried=interview.published)
        under_way(factories.InterviewFactory(questions=1))

        assert list(watching.under_way(member(Membership.Role.RECRUITER))) == [here]

    def test_reviewer_by_assignment_sees_the_assigned(self, interview, member):
        interview.organisation.is_review_by_assignment = True
        interview.organisation.save()
        mine, reviewer = under_way(interview), member(Membership.Role.REVIEWER)
        under_way(interview)
        Assignment.objects.create(session=mine, reviewer=reviewer)

        assert list(watching.under_way(reviewer)) == [mine]

    def test_who_was_not_seen_for_long_is_counted_and_listed_apart(self, interview, member):
        unseen = under_way(interview, last_seen_at=NOW - watching.UNSEEN_AFTER)
        first = under_way(interview, consented_at=NOW - timedelta(hours=2))
        second = under_way(interview, consented_at=NOW - timedelta(hours=1))
        rows = watching.under_way(member(Membership.Role.RECRUITER))

        def listed(*, is_unseen):
            return list(watching.page(rows, is_unseen=is_unseen, first=0, size=9, now=NOW))

        assert watching.count(rows, now=NOW) == (0, 0, 2, 1)
        assert listed(is_unseen=False) == [first, second]
        assert listed(is_unseen=True) == [unseen]

    def test_stands_of_many_are_one_statement(self, interview):
        sessions = [under_way(interview, answers=2) for _ in range(3)]
        sessions.append(factories.SessionFactory(invitation__interview=interview))
        with CaptureQueriesContext(connection) as captured:
            stands = watching.stands(Session.objects.filter(pk__in=[session.pk for session in sessions]))
        assert len(captured) == 2  # with that of the sessions
        assert [stands[session.pk].doing for session in sessions] == [*[Doing.BETWEEN] * 3, Doing.CHECKING]
