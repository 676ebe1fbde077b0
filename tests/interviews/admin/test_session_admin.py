from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse

from accounts.models import Membership
from interviews.admission import places
from interviews.admission.places import InLine
from interviews.models import Session
from tests import factories

Role = Membership.Role
CHANGELIST = "admin:interviews_session_changelist"


def session_of(interview, **fields):
    return factories.SessionFactory(invitation__interview=interview, **fields)


@pytest.fixture
def session(interview):
    session = session_of(interview, finished=True)
    factories.AnswerFactory(session=session, practice=True, question_text="Just for practice")
    return session


def test_list_shows_progress_and_own_only(client, member, interview, session, foreign_interview):
    member(Role.REVIEWER)
    factories.AnswerFactory(session=session, position=1, accepted=True)
    factories.AnswerFactory(session=session, position=2)
    session_of(foreign_interview, invitation__candidate_name="Mallory")
    page = client.get(reverse(CHANGELIST)).content.decode()
    assert "1 of 2 answered" in page
    assert session.invitation.candidate_name in page
    assert "Mallory" not in page
    assert "Secret opening" not in page


@pytest.mark.parametrize("page", ["add", "delete", "history"])
def test_session_cannot_be_changed(client, session, page):
    client.force_login(factories.UserFactory(is_superuser=True))
    args = [] if page == "add" else [session.pk]
    response = client.get(reverse(f"admin:interviews_session_{page}", args=args))
    assert response.status_code == (200 if page == "history" else 403)
    assert Session.objects.filter(pk=session.pk).exists()


def test_front_page_counts_own_only(client, member, interview, foreign_interview, session):
    member(Role.REVIEWER)
    session_of(foreign_interview, invitation__candidate_name="Mallory")
    page = client.get(reverse("admin:index")).content.decode()
    assert "<strong>0</strong> being taken" in page
    assert "<strong>1</strong> finished" in page
    assert "Mallory" not in page


def test_front_page_tells_superusers_how_many_wait_to_be_let_in(client, member, clean_redis, settings):
    client.force_login(factories.UserFactory(is_superuser=True))
    assert "Candidates in line" not in client.get(reverse("admin:index")).content.decode()
    settings.CANDIDATES_AT_ONCE = 2
    newcomers = [InLine(uuid4(), 0, can_enter=True) for _ in range(5)]
    async_to_sync(places.attend)(inside=[], in_line=newcomers)

    page = client.get(reverse("admin:index")).content.decode()
    assert "waiting to be let in: 3. Candidates with a place: 2." in page
    member(Role.OWNER)
    assert "Candidates in line" not in client.get(reverse("admin:index")).content.decode()


def test_front_page_of_nobody_says_what_to_do(client, db):
    client.force_login(factories.UserFactory())
    page = client.get(reverse("admin:index")).content.decode()
    assert "Ask an owner to give you a role." in page
