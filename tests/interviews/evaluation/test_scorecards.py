"""Scorecards: own and blind first, kept as a draft, and nothing that was submitted is lost."""

import pytest
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import erasure, scorecards
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Decision, Mention, Note, Scorecard, Session, Submission
from interviews.queries import evaluation
from tests import factories
from tests.interviews.evaluation.conftest import scores

pytestmark = pytest.mark.django_db


def keep(session, by, given):
    return scorecards.keep(session=session, scores=given, by=by, now=timezone.now())


def test_draft_is_kept_for_the_reviewer_alone(session, anna, ben):
    keep(session, anna, scores(session, 3, None, note="as she said"))

    mine, others = (evaluation.of(session, person) for person in (anna, ben))

    assert [(score.level, score.note) for score in mine.scores] == [(3, "as she said"), (None, "as she said")]
    assert mine.own is None
    assert [score.level for score in others.scores] == [None, None]
    assert not Submission.objects.exists()


def test_submitting_needs_a_level_for_each_criterion(session, anna):
    with pytest.raises(BadValue, match="Choose a level for: Craft"):
        scorecards.submit(session=session, scores=scores(session, 3, None), by=anna, now=timezone.now())
    assert not Submission.objects.exists()


def test_no_basis_is_an_answer_too(session, anna, submit):
    submission = submit(session, anna, 3, Submission.NO_BASIS)
    first, second = session.definition.criteria
    assert (submission.level(first.id), submission.level(second.id)) == (3, None)


def test_others_are_seen_after_submitting(session, anna, ben, submit):
    submit(session, ben, 2, 4)
    assert evaluation.of(session, anna).others == []

    submit(session, anna, 1, 1)

    [opinion] = evaluation.of(session, anna).others
    assert [score.level for score in opinion.scores] == [2, 4]
    assert opinion.scores[1].sentence == "weighs reasons"


def test_later_score_stands_beside_the_first_and_is_not_blind(session, anna, submit):
    submit(session, anna, 1, 1)
    submit(session, anna, 1, 1)
    submit(session, anna, 2, 1)

    opinion = evaluation.of(session, anna).own

    assert [score.level for score in opinion.scores] == [2, 1]
    assert [score.level for score in opinion.earlier[0].scores] == [1, 1]
    assert (opinion.is_blind, opinion.earlier[0].is_blind) == (False, True)
    assert Submission.objects.count() == 2, "the same again is no submission"


def test_draft_of_a_change_is_not_seen_by_others(session, anna, ben, submit):
    submit(session, anna, 1, 1)
    submit(session, ben, 4, 4)
    keep(session, anna, scores(session, 3, 3))
    [opinion] = evaluation.of(session, ben).others
    assert [score.level for score in opinion.scores] == [1, 1]
    assert evaluation.of(session, anna).is_changed


def test_score_after_looking_is_not_blind(session, reviewer, ben, submit):
    owner = reviewer("olga", Membership.Role.OWNER)
    submit(session, ben, 2, 2)
    scorecards.show_others(session=session, by=owner, now=timezone.now())
    assert len(evaluation.of(session, owner).others) == 1
    assert not submit(session, owner, 2, 2).is_blind


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (lambda session: scores(session, 5, 1), "“Candour” has no such level"),
        (lambda session: scores(session, -1, 1), "no such level"),
        (lambda session: {"0": (1, "")}, "no such criterion"),
        (lambda session: scores(session, 1, 1, note="x" * 2001), "longer than 2000"),
    ],
    ids=["level above", "level below", "criterion of another", "long note"],
)
def test_what_the_rubric_does_not_have_is_refused(session, anna, given, reason):
    with pytest.raises(BadValue, match=reason):
        keep(session, anna, given(session))
    assert not Scorecard.objects.exists()


def test_interview_under_way_is_not_scored(session, anna):
    Session.objects.update(status="under_way")
    with pytest.raises(WrongState, match="under way"):
        keep(Session.objects.get(), anna, scores(session, 1, 1))


def test_session_without_a_rubric_is_shown_without_a_score(ours, anna):
    interview = factories.InterviewFactory(organisation=ours, questions=1)
    session = factories.SessionFactory(invitation__interview=interview, finished=True)
    seen = evaluation.of(session, anna)
    assert (seen.scores, seen.visible) == ([], (True, True))
    with pytest.raises(WrongState, match="no rubric"):
        keep(session, anna, {})


def test_candidate_is_scored_by_the_version_that_was_agreed_to(session, interview, anna):
    interview.criteria.all().delete()
    factories.publish(interview)
    assert [score.criterion.name for score in evaluation.of(session, anna).scores] == ["Candour", "Craft"]


@pytest.mark.django_db(transaction=True)
def test_erased_candidate_leaves_no_judgement(session, anna, submit, assigned, clean_redis):
    submit(session, anna, 1, 1, note="Ada was late")
    assigned(session, anna)
    Decision.objects.create(session=session, outcome="reject", reason="Ada was late")
    note = Note.objects.create(session=session, author=anna, text="Ada was late", is_shared=True)
    Mention.objects.create(note=note, person=anna)

    erasure.erase_candidate(invitation=session.invitation, by="test", now=timezone.now())

    kept = (Scorecard, Submission, Decision, Note, Mention, session.assignments.model)
    assert [model.__name__ for model in kept if model.objects.exists()] == []
