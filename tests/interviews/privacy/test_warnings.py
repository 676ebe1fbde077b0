"""An organisation is told, once a week, how many candidates the clock will erase."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Organisation
from interviews import jobs
from interviews.actions import erasure_warnings, holds, versions
from interviews.queries import retention
from tests import factories
from tests.interviews.privacy.test_retention import finished, kept_for_days  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
Role = Membership.Role


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.EMAIL_URL = "smtp://localhost"


@pytest.fixture
def owner(kept_for_days):  # noqa: F811
    membership = factories.MembershipFactory(organisation=kept_for_days.organisation, role=Role.OWNER)
    return membership.user


def warn(interview, *, after: timedelta = timedelta(0)) -> int:
    return erasure_warnings.warn(organisation_id=interview.organisation_id, now=timezone.now() + after)


def test_owner_and_author_get_one_mail_a_week_without_a_name(kept_for_days, owner, mailoutbox):  # noqa: F811
    author = factories.MembershipFactory(organisation=kept_for_days.organisation, role=Role.RECRUITER).user
    factories.MembershipFactory(organisation=kept_for_days.organisation, role=Role.RECRUITER)
    type(kept_for_days).objects.update(created_by=author)
    soon = [finished(kept_for_days, days_ago=days) for days in (20, 25)]
    finished(kept_for_days, days_ago=3)  # in 27 days

    assert warn(kept_for_days) == 2
    assert warn(kept_for_days, after=timedelta(days=6)) == 0
    assert {mail.to[0] for mail in mailoutbox} == {owner.email, author.email}
    mail = mailoutbox[0]
    assert "2 candidates will be erased" in mail.subject
    assert f"{reverse('admin:interviews_invitation_changelist')}?erased=soon" in mail.body
    assert not [row for row in soon if row.candidate_name in mail.body]
    assert warn(kept_for_days, after=timedelta(days=7)) == 2


@pytest.mark.parametrize("why", ["held", "off", "never", "later"])
def test_nothing_is_said_of_those_who_are_not_erased_soon(kept_for_days, owner, mailoutbox, why):  # noqa: F811
    if why == "held":
        holds.place(interview=kept_for_days, reason="dispute", by=owner, now=timezone.now())
    if why == "off":
        Organisation.objects.update(warned_days=None)
    if why == "never":
        factories.change(kept_for_days, retention_days=None)
    finished(kept_for_days, days_ago=3 if why == "later" else 20)

    assert warn(kept_for_days) == 0
    assert not mailoutbox


def test_mail_that_nobody_took_is_tried_again(kept_for_days, owner, monkeypatch, mailoutbox):  # noqa: F811
    finished(kept_for_days, days_ago=20)

    def refuse(*args, **kwargs):
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(erasure_warnings, "send_mail", refuse)
        assert warn(kept_for_days) == 0
    assert warn(kept_for_days) == len(mailoutbox) == 1


def test_clock_queues_it_for_organisations_concerned(kept_for_days, owner, monkeypatch):  # noqa: F811
    finished(kept_for_days, days_ago=20)
    finished(factories.InterviewFactory(), days_ago=20)  # kept for ever
    queued = []
    monkeypatch.setattr(
        erasure_warnings.jobs, "enqueue", lambda queue, job, pk, job_id: queued.append((job, pk))
    )

    jobs.erase_overdue()
    assert queued == [(erasure_warnings.JOB, str(kept_for_days.organisation_id))]
    jobs.warn_of_erasures(queued[0][1])
    jobs.erase_overdue()
    assert len(queued) == 1


def test_interview_keeps_as_its_organisation_says(interview):
    Organisation.objects.filter(pk=interview.organisation_id).update(retention_days=90)
    interview = type(interview).objects.get(pk=interview.pk)

    assert versions.has_changes(interview)
    assert versions.publish(interview=interview, by="test", now=timezone.now()).retention_days == 90
    assert not versions.has_changes(interview)
    type(interview).objects.update(retention_days=7)
    interview.refresh_from_db()
    assert versions.publish(interview=interview, by="test", now=timezone.now()).retention_days == 7


def test_page_says_when(kept_for_days, client):  # noqa: F811
    invitation = finished(kept_for_days, days_ago=3)
    at = retention.erased_on(invitation)
    assert at is not None
    assert abs(at - timezone.now() - timedelta(days=27)) < timedelta(minutes=1)
    page = client.get(reverse("interviews:data", args=[invitation.token])).content.decode()
    assert 'data-testid="erased-on"' in page
