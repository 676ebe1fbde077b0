from datetime import timedelta

import pytest
from django.utils import timezone

from interviews import jobs
from interviews.actions import erasure, sessions
from interviews.models import Erasure, Interview, Invitation, Session
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

DAYS = 30


@pytest.fixture
def kept_for_days(interview) -> Interview:
    factories.change(interview, retention_days=DAYS)
    return interview


def finished(interview, *, days_ago: float) -> Invitation:
    at = timezone.now() - timedelta(days=days_ago)
    return factories.SessionFactory(
        finished=True, finished_at=at, last_seen_at=at, invitation__interview=interview
    ).invitation


def left() -> set:
    return set(Invitation.objects.values_list("pk", flat=True))


def test_candidates_are_erased_when_their_time_is_over(kept_for_days):
    over, not_over = finished(kept_for_days, days_ago=30.1), finished(kept_for_days, days_ago=29.9)
    without_an_end = finished(factories.InterviewFactory(), days_ago=4000)

    jobs.erase_overdue()

    assert over.pk not in left()
    assert left() == {not_over.pk, without_an_end.pk}
    assert Erasure.objects.get().source == Erasure.Source.RETENTION


def test_interview_under_way_and_link_that_may_be_used_stay(kept_for_days, invitation, make_invitation):
    session = sessions.start(invitation=invitation, now=timezone.now())
    long_ago = timezone.now() - timedelta(days=300)
    Session.objects.filter(pk=session.pk).update(consented_at=long_ago, last_seen_at=long_ago)
    pending = make_invitation(expires_at=timezone.now() - timedelta(days=300))

    assert erasure.erase_overdue(now=timezone.now()) == 0
    assert left() == {invitation.pk, pending.pk}


def test_abandoned_interview_counts_from_the_last_visit(kept_for_days, invitation):
    session = sessions.start(invitation=invitation, now=timezone.now())
    sessions.abandon(session=session, by="test", now=timezone.now())
    Invitation.objects.update(status=Invitation.Status.EXPIRED)
    now = timezone.now()

    assert erasure.erase_overdue(now=now + timedelta(days=DAYS - 1)) == 0
    assert erasure.erase_overdue(now=now + timedelta(days=DAYS + 1)) == 1


def test_unused_link_counts_from_its_last_day(kept_for_days, make_invitation):
    invitation = make_invitation(status=Invitation.Status.EXPIRED)

    assert erasure.erase_overdue(now=invitation.expires_at + timedelta(days=DAYS - 1)) == 0
    assert erasure.erase_overdue(now=invitation.expires_at + timedelta(days=DAYS + 1)) == 1


def test_many_are_erased_in_bounded_steps(kept_for_days, monkeypatch):
    monkeypatch.setattr(erasure, "OVERDUE_AT_ONCE", 2)
    for _ in range(3):
        finished(kept_for_days, days_ago=31)

    assert [erasure.erase_overdue(now=timezone.now()) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(
    ("days", "sentence"), [(30, "deleted 30 days after"), (None, "kept until you delete")]
)
def test_candidate_is_told_before_consent(client, invitation, days, sentence):
    factories.change(invitation.interview, retention_days=days)
    assert sentence in client.get(f"/i/{invitation.token}/").content.decode()
