"""A page takes as many statements with ten rows as with one; tests/proof/test_scale.py has a million."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import search_index
from interviews.models import Erasure, InvitationBatch, MailTemplate, Message
from tests import factories

LISTS = ("interview", "invitation", "session", "message", "erasure", "invitationbatch", "mailtemplate")


def grow(organisation, count):
    """Make `count` more of everything that a page lists; return the last session."""
    for _ in range(count):
        interview = factories.InterviewFactory(organisation=organisation, questions=1)
        session = factories.SessionFactory(finished=True, invitation__interview=interview)
        factories.SessionFactory(started=True, invitation__interview=interview, status="under_way", answers=1)
        answer = factories.AnswerFactory(session=session, position=1, accepted=True, transcript="turnips")
        search_index.index(answer_id=answer.pk)
        Message.objects.create(invitation=session.invitation, kind=Message.Kind.INVITATION)
        Erasure.objects.create(interview=interview, source="api", invited_on=timezone.localdate())
        InvitationBatch.objects.create(interview=interview, file_name="a.csv", expires_at=timezone.now())
        language = f"x{MailTemplate.objects.count()}"
        MailTemplate.objects.create(organisation=organisation, kind="invitation", language=language)
    return session


def addresses(session):
    return {
        **{name: reverse(f"admin:interviews_{name}_changelist") for name in LISTS},
        "home": reverse("admin:index"),
        "under way": reverse("watching"),
        "candidates": reverse("candidates"),
        "candidate": reverse("candidate", args=[session.invitation_id]),
        "search": f"{reverse('search')}?q=turnips",
    }


def statements(client, session):
    counts = {}
    for name, address in addresses(session).items():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        counts[name] = len(captured)
    return counts


@pytest.mark.usefixtures("clean_redis")
def test_number_of_statements_does_not_grow_with_the_rows(client, member, ours):
    member(Membership.Role.OWNER)
    session = grow(ours, 2)
    statements(client, session)  # what a process reads once

    few = statements(client, session)
    grow(ours, 8)

    assert statements(client, session) == few


@pytest.mark.usefixtures("clean_redis")
def test_review_takes_as_many_statements_for_ten_answers(client, member, ours):
    member(Membership.Role.REVIEWER)
    session = grow(ours, 1)
    address = reverse("admin:interviews_session_change", args=[session.pk])
    client.get(address)  # what a process reads once
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    for position in range(2, 11):
        factories.AnswerFactory(session=session, position=position, accepted=True)
    with CaptureQueriesContext(connection) as ten:
        client.get(address)
    assert len(one) == len(ten)


def test_filter_offers_the_newest_and_the_chosen_one(client, member, ours, monkeypatch):
    monkeypatch.setattr("accounts.scoped_admin.OFFERED", 2)
    member(Membership.Role.REVIEWER)
    titles = ["First opening", "Second opening", "Third opening"]
    rows = [factories.InterviewFactory(organisation=ours, title=title) for title in titles]
    address = reverse("admin:interviews_session_changelist")

    def offered(**parameters):
        page = client.get(address, parameters).content.decode()
        return [title for title in titles if title in page]

    assert offered() == titles[1:]
    assert offered(invitation__interview__id__exact=rows[0].pk) == titles
