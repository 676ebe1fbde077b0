"""A candidate who begins again: the attempt before is set aside, counts nowhere, and goes with the rest."""

from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.actions import attempts, erasure, invitations, sessions
from interviews.actions.errors import ActionRefused, BadValue, WrongState
from interviews.models import Answer, Erasure, Invitation, Session
from interviews.queries import holdings, links
from tests import factories
from tests.interviews import journey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]


def now():
    return timezone.now()


def in_days(days):
    return now() + timedelta(days=days)


@pytest.fixture
def session():
    invitation = factories.InvitationFactory()
    sessions.start(invitation=invitation, now=now())
    return Session.objects.select_related("invitation").get(invitation=invitation)


def reset(invitation, **changes):
    attempts.reset(invitation=invitation, by="test", now=now(), **changes)
    return Invitation.objects.get(pk=invitation.pk)


def test_same_link_begins_anew_and_the_attempt_is_kept_aside(session):
    journey.answer_with(journey.questions(session)[0], b"\1\0" * 1600)
    token = session.invitation.token
    again = reset(session.invitation)
    assert (again.status, again.token) == ("pending", token)
    assert links.find(token, now=now())[1] is None, "consent comes first"

    second = sessions.start(invitation=again, now=now())
    session.refresh_from_db()
    assert session.status == "abandoned"
    assert session.invitation.set_aside_of == again
    assert session.answers.get(position=1).status == Answer.Status.ACCEPTED
    assert list(Session.objects.counted()) == [second]
    assert list(Invitation.objects.counted()) == [again]


def test_finished_interview_can_be_begun_again(session):
    journey.answer_with(journey.questions(session)[0], b"\1\0" * 1600)
    journey.answer_with(journey.questions(session)[1], b"\1\0" * 1600)
    assert reset(session.invitation).status == "pending"
    session.refresh_from_db()
    assert (session.status, session.invitation.status) == ("finished", "finished")


def test_candidate_may_begin_again_more_than_once(session):
    for _ in range(2):
        sessions.start(invitation=reset(session.invitation), now=now())
    assert session.invitation.set_aside.count() == 2
    assert Session.objects.counted().count() == 1


def test_what_was_not_begun_is_not_reset():
    with pytest.raises(WrongState, match="nothing to set aside"):
        reset(factories.InvitationFactory())


def test_revoked_link_is_not_reset(session):
    invitations.revoke(invitation=session.invitation, by="test", now=now())
    with pytest.raises(WrongState, match="revoked"):
        reset(session.invitation)


def test_reset_after_the_last_day_needs_a_new_one(session):
    Invitation.objects.update(expires_at=in_days(-1), status="expired")
    with pytest.raises(BadValue, match="expires_at"):
        reset(session.invitation)
    assert reset(session.invitation, expires_at=in_days(2)).expires_at > in_days(1)


def test_erasure_takes_the_attempts_set_aside_too(session):
    journey.answer_with(journey.questions(session)[0], b"\1\0" * 1600)
    again = reset(session.invitation)
    sessions.start(invitation=again, now=now())
    assert holdings.of(again).recording_count == 1
    erasure.erase_candidate(invitation=again, by="test", now=now())
    assert not Invitation.objects.exists()
    assert not Session.objects.exists()
    assert sorted(Erasure.objects.values_list("is_trial", flat=True)) == [False, True], "one is counted"


def test_what_is_held_counts_judgement_about_the_attempts_set_aside(session):
    person = factories.UserFactory()
    Session.objects.update(status="finished", finished_at=now())
    card = session.scorecards.create(reviewer=person)
    card.submissions.create(is_blind=True)
    session.decisions.create(outcome="hold", reason="so", decided_by=person)
    session.notes.create(author=person, text="so", is_shared=True)
    before = holdings.of(session.invitation).judgement_count
    again = reset(session.invitation)
    assert (before, holdings.of(again).judgement_count) == (3, 3)


def test_expired_link_works_again_when_it_is_extended():
    invitation = factories.InvitationFactory(status="expired", expires_at=in_days(-1))
    invitations.extend(invitation=invitation, expires_at=in_days(3), by="test", now=now())
    assert links.find(invitation.token, now=now())[0].status == "pending"


def test_last_day_of_a_link_moves():
    invitation = factories.InvitationFactory()
    invitations.extend(invitation=invitation, expires_at=in_days(30), by="test", now=now())
    invitation.refresh_from_db()
    assert invitation.expires_at > in_days(29)


@pytest.mark.parametrize("status", ["finished", "revoked"])
def test_what_is_over_is_not_extended(status):
    with pytest.raises(WrongState):
        invitations.extend(
            invitation=factories.InvitationFactory(status=status), expires_at=in_days(3), by="t", now=now()
        )


def test_interview_closed_unfinished_is_not_extended(session):
    sessions.abandon(session=session, by="expiry", now=now())
    Invitation.objects.update(status="expired")
    with pytest.raises(WrongState, match="begin again"):
        invitations.extend(invitation=session.invitation, expires_at=in_days(3), by="test", now=now())


OVER = {
    "invite": lambda row: invitations.invite(
        interview=row.interview, candidate_name="Bob", expires_at=in_days(3), by="test", now=now()
    ),
    "extend": lambda row: invitations.extend(invitation=row, expires_at=in_days(3), by="test", now=now()),
}


@pytest.mark.parametrize("act", OVER.values(), ids=OVER)
def test_after_the_deadline_no_link_is_made_that_cannot_begin(act):
    invitation = factories.InvitationFactory()
    factories.change(invitation.interview, deadline=in_days(-1))
    with pytest.raises(ActionRefused, match="deadline"):
        act(invitation)
    assert Invitation.objects.count() == 1


def test_after_the_deadline_the_last_day_of_who_has_begun_moves(session):
    factories.change(session.invitation.interview, deadline=in_days(-1))
    invitations.extend(invitation=session.invitation, expires_at=in_days(3), by="test", now=now())
    assert session.invitation.expires_at > in_days(2)


def test_after_the_deadline_no_attempt_is_set_aside(session):
    factories.change(session.invitation.interview, deadline=in_days(-1))
    with pytest.raises(WrongState, match="deadline"):
        reset(session.invitation, expires_at=in_days(3))
    session.refresh_from_db()
    assert (session.status, session.invitation.set_aside_of) == ("checking", None)
