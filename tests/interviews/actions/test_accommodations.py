"""Accommodations: given before the start and in the middle, with a history that the interview follows."""

import logging

import pytest
from django.utils import timezone

from interviews.actions import accommodations, answers, erasure
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Accommodation, Invitation
from tests import factories
from tests.interviews import journey
from voice.audio.pcm import BYTES_A_SECOND

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

REASON = "dyslexia, letter of 3 May"


@pytest.fixture
def user():
    return factories.UserFactory()


def give(invitation, by=None, **what):
    what = {"reason": REASON, **what}
    return accommodations.give(invitation=invitation, by=by or "test", now=timezone.now(), **what)


def test_accommodation_that_is_given_holds_and_the_earlier_one_is_history(user):
    invitation = factories.InvitationFactory()
    first = give(invitation, user, extra_percent=25)
    second = give(invitation, user, is_written=True)
    invitation.refresh_from_db()
    assert invitation.accommodation == second
    assert list(invitation.accommodations.all()) == [second, first]
    assert (second.given_by, second.extra_percent, second.is_written) == (user, 0, True)


def test_taking_an_accommodation_back_leaves_the_history():
    invitation = factories.InvitationFactory()
    give(invitation, extra_percent=100)
    assert give(invitation).is_none
    assert invitation.accommodations.count() == 2


def test_reason_is_encrypted_and_can_be_read_with_another_key_added(settings):
    row = give(factories.InvitationFactory(), extra_percent=50)
    assert b"dyslexia" not in bytes(row.reason_encrypted)
    settings.TOKEN_KEYS = ["another-key-that-is-long-enough-for-this", *settings.TOKEN_KEYS]
    before = bytes(row.reason_encrypted)
    assert accommodations.rotate_keys() == {"written": 1}
    row.refresh_from_db()
    assert (row.reason, bytes(row.reason_encrypted) == before) == (REASON, False)
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert row.reason == REASON


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"extra_percent": 301}, "extra_percent"),
    ],
)
def test_wrong_value_is_refused_and_named(wrong, named):
    with pytest.raises(BadValue, match=named):
        give(factories.InvitationFactory(), **wrong)
    assert not Accommodation.objects.exists()


@pytest.mark.parametrize("status", [Invitation.Status.FINISHED, Invitation.Status.REVOKED])
def test_interview_that_is_over_cannot_be_accommodated(status):
    with pytest.raises(WrongState):
        give(factories.InvitationFactory(status=status), extra_percent=25)


def test_recording_of_an_accommodated_candidate_may_be_longer():
    session = factories.SessionFactory(answers=1)
    factories.AnswerFactory(session=session, practice=True)
    give(session.invitation, extra_percent=50)
    answer = journey.begin_first_question(session)
    assert answer.recording.max_bytes == 90 * BYTES_A_SECOND
    assert (answer.answer_limit_seconds, answer.think_seconds) == (60, 10), "what reviewers see of it stays"


def test_answer_under_way_becomes_longer_at_once_and_never_shorter():
    session = factories.SessionFactory(answers=1)
    factories.AnswerFactory(session=session, practice=True)
    answer = journey.begin_first_question(session)
    give(session.invitation, is_untimed=True)
    answer.recording.refresh_from_db()
    assert answer.recording.max_bytes == 3600 * BYTES_A_SECOND
    give(session.invitation)
    answer.recording.refresh_from_db()
    assert answer.recording.max_bytes == 3600 * BYTES_A_SECOND


def test_next_answer_has_the_usual_limit_after_it_was_taken_back():
    session = factories.SessionFactory(answers=2)
    factories.AnswerFactory(session=session, practice=True)
    give(session.invitation, extra_percent=100)
    journey.answer_with(journey.questions(session)[0], b"\1\0" * 1600)
    give(session.invitation)
    second = journey.questions(session)[1]
    answers.begin(answer=second, by="test", now=timezone.now())
    assert second.recording.max_bytes == 60 * BYTES_A_SECOND


def test_nothing_of_an_accommodation_is_logged(caplog):
    session = factories.SessionFactory(answers=1)
    factories.AnswerFactory(session=session, practice=True)
    with caplog.at_level(logging.DEBUG, logger="interviews"):
        give(session.invitation, is_written=True, extra_percent=50)
    assert "accommodation" not in caplog.text
    assert "dyslexia" not in caplog.text


def test_erased_candidate_leaves_no_accommodation():
    invitation = factories.InvitationFactory()
    give(invitation, extra_percent=25)
    give(invitation, extra_percent=50)
    erasure.erase_candidate(invitation=invitation, by="test", now=timezone.now())
    assert not Accommodation.objects.exists()


@pytest.mark.parametrize(
    ("extra_percent", "is_untimed", "limit_s", "recorded_s"),
    [(0, True, 60, 3600), (300, True, 1800, 7200), (50, True, 1800, 3600), (300, False, 1800, 7200)],
)
def test_no_time_limits_are_never_less_than_extra_time(extra_percent, is_untimed, limit_s, recorded_s):
    given = Accommodation(extra_percent=extra_percent, is_untimed=is_untimed)
    assert given.recorded_s(limit_s) == recorded_s
