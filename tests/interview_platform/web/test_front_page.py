"""The overview: what waits for whom, and that the lists behind it have as many rows as it says."""

from datetime import timedelta

import pytest
import redis
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interview_platform.web import front_page
from interviews.models import Assignment, Invitation, Mention, Message, Note
from tests import factories
from tests.staff import member, ours, theirs  # noqa: F401

Role = Membership.Role
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


def make_errands(organisation, user=None):
    """Make one of everything that waits; what is for one person waits for the user."""
    now = timezone.now()
    interview = factories.InterviewFactory(organisation=organisation, questions=1)
    over = factories.InterviewFactory(organisation=organisation, questions=1)
    factories.change(over, deadline=now - timedelta(days=1))
    factories.InterviewFactory(organisation=organisation, questions=1, published=False)
    factories.InvitationFactory(interview=interview, expires_at=now + timedelta(days=2))
    factories.InvitationFactory(interview=over)
    mailed = factories.InvitationFactory(interview=interview)
    Message.objects.create(invitation=mailed, kind="invitation", status=Message.Status.FAILED)
    left = {"invitation__interview": interview, "last_seen_at": now - timedelta(hours=1)}
    unseen = factories.SessionFactory(started=True, **left)
    if user is None:
        return
    criterion = factories.CriterionFactory(interview=interview)
    factories.publish(criterion.interview)
    scored = factories.SessionFactory(invitation__interview=interview, finished=True)
    Assignment.objects.create(session=scored, reviewer=user)
    note = Note.objects.create(session=unseen, author=user, text="See this", is_shared=True)
    Mention.objects.create(note=note, person=user)


def errands(client):
    return {errand.address: errand.count for errand in home(client).context["errands"]}


def home(client):
    return client.get(reverse("admin:index"))


ADDRESSES = {
    "/admin/interviews/session/queue/",
    "/admin/watching/?unseen=1",
    "/admin/interviews/invitation/?ends=soon",
    "/admin/interviews/invitation/?ends=too_late",
    "/admin/interviews/message/?delivery=failed",
    "/admin/interviews/interview/?status__exact=draft",
}


def test_everything_that_waits_for_a_recruiter_is_counted(client, member, ours):  # noqa: F811
    make_errands(ours, member())
    assert errands(client) == dict.fromkeys(ADDRESSES, 1)
    assert [errand.text for errand in home(client).context["errands"]][:2] == [
        "candidate to score",
        "note that mentions you",
    ]


def test_lists_have_as_many_rows_as_the_overview_says(client, member, ours):  # noqa: F811
    make_errands(ours, member())
    for address, count in errands(client).items():
        context = client.get(address).context
        shown = context["cl"].result_count if "cl" in context else count
        assert shown == count, address
    assert len(client.get("/admin/watching/?unseen=1").context["view"].rows) == 1


def test_reviewer_is_told_nothing_of_inviting(client, member, ours):  # noqa: F811
    make_errands(ours, member(Role.REVIEWER))
    assert set(errands(client)) == {"/admin/interviews/session/queue/", "/admin/watching/?unseen=1"}


def test_other_organisation_adds_nothing(client, member, theirs):  # noqa: F811
    member(Role.OWNER)
    make_errands(theirs)
    assert errands(client) == {}
    assert b"Nothing waits for you." in home(client).content


def test_link_that_ended_or_was_used_does_not_wait(client, member, ours):  # noqa: F811
    member()
    interview = factories.InterviewFactory(organisation=ours, questions=1)
    factories.InvitationFactory(interview=interview, expires_at=timezone.now() - timedelta(hours=1))
    soon = timezone.now() + timedelta(days=1)
    factories.InvitationFactory(interview=interview, expires_at=soon, status=Invitation.Status.REVOKED)
    assert errands(client) == {}


def test_mail_waits_until_it_is_sent_again_or_of_no_use(client, member, ours):  # noqa: F811
    member()
    interview = factories.InterviewFactory(organisation=ours, questions=1)
    sent_again, begun, ended = factories.InvitationFactory.create_batch(3, interview=interview)
    for invitation in (sent_again, begun, ended):
        Message.objects.create(invitation=invitation, kind="invitation", status=Message.Status.FAILED)
    assert errands(client) == {"/admin/interviews/message/?delivery=failed": 3}
    Message.objects.create(invitation=sent_again, kind="invitation")
    Invitation.objects.filter(pk=begun.pk).update(status=Invitation.Status.STARTED)
    Invitation.objects.filter(pk=ended.pk).update(expires_at=timezone.now())
    assert errands(client) == {}


def test_mail_with_a_decision_waits_for_those_who_may_know_it(client, member, ours):  # noqa: F811
    user = member()
    criterion = factories.CriterionFactory(interview__organisation=ours)
    factories.publish(criterion.interview)
    session = factories.SessionFactory(invitation__interview=criterion.interview, finished=True)
    Message.objects.create(invitation=session.invitation, kind="rejection", status=Message.Status.FAILED)
    assert errands(client) == {"/admin/interviews/message/?delivery=failed": 1}
    Assignment.objects.create(session=session, reviewer=user)
    assert errands(client) == {"/admin/interviews/session/queue/": 1}


def test_panel_shows_who_is_there_and_the_figures_of_the_month(client, member, ours):  # noqa: F811
    member()
    interview = factories.InterviewFactory(organisation=ours, questions=1)
    factories.SessionFactory(
        started=True, invitation__interview=interview, invitation__candidate_name="<i>Ada"
    )
    page = home(client).content.decode()
    assert 'data-watching="/ws/watching/?panel=1&amp;page=1"' in page
    assert "&lt;i&gt;Ada" in page
    assert [panel.title for panel in home(client).context["panels"]] == [
        "Funnel",
        "By the day of the invitation",
    ]


def test_speech_is_told_in_a_line(client, member):  # noqa: F811
    member()
    page = home(client)
    assert [each.verdict.word for each in page.context["speech"].directions] == ["down", "down"]
    assert b"longest wait 0 s" in page.content


def test_without_redis_the_rest_is_shown(client, member, monkeypatch):  # noqa: F811
    def unreachable():
        raise redis.ConnectionError

    monkeypatch.setattr(front_page.engines_page, "directions", unreachable)
    member()
    assert b"How speech is cannot be told" in home(client).content
