from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from interviews.actions import accommodations, erasure, observations
from interviews.actions.errors import BadValue
from interviews.models import Observation
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
RECONNECTED = Observation.Kind.RECONNECTED
LEFT_PAGE, PASTED, SECOND_SCREEN = (
    *(Observation.Kind.LEFT_PAGE, Observation.Kind.PASTED),
    Observation.Kind.SECOND_SCREEN,
)
NOW = timezone.now()


def note(session_id, times=1, kind=RECONNECTED):
    for _ in range(times):
        observations.note(session_id=session_id, kind=kind, by="candidate", now=timezone.now())


def test_page_that_reconnects_for_ever_fills_no_table(monkeypatch):
    monkeypatch.setattr(observations, "KEPT", 3)
    session, other = factories.SessionFactory(), factories.SessionFactory()
    note(session.pk, times=5)
    note(session.pk, kind=Observation.Kind.OPENED_AGAIN)
    note(other.pk)
    assert (session.observations.count(), other.observations.count()) == (4, 1)


def test_nothing_is_noted_of_an_interview_that_was_erased():
    note(uuid4())
    assert not Observation.objects.exists()


def test_erasure_takes_observations_away():
    session = factories.SessionFactory()
    note(session.pk)
    erasure.erase_candidate(invitation=session.invitation, by="retention", now=timezone.now())
    assert not Observation.objects.exists()


@pytest.fixture
def session():
    """At the second question."""
    session = factories.SessionFactory(status="under_way")
    factories.AnswerFactory(session=session, practice=True)
    factories.AnswerFactory(session=session, position=1, status="accepted")
    factories.AnswerFactory(session=session, position=2, asked=True)
    return session


def notice(session, kind, **fields):
    observations.note_of_page(session_id=session.pk, kind=kind, by="candidate", **({"now": NOW} | fields))


def come_back(session, now=NOW):
    observations.note_return(session_id=session.pk, by="candidate", now=now)


def test_page_is_left_at_a_question_for_a_time_of_the_server(session):
    notice(session, LEFT_PAGE)
    come_back(session, NOW + timedelta(seconds=12))
    come_back(session, NOW + timedelta(seconds=99))
    [found] = session.observations.all()
    assert found.answer.position == 2
    assert (found.happened_at, found.ended_at) == (NOW, NOW + timedelta(seconds=12))


def test_page_that_is_away_is_left_no_second_time(session):
    notice(session, LEFT_PAGE)
    notice(session, LEFT_PAGE)
    notice(session, PASTED, characters=7)
    come_back(session)
    notice(session, LEFT_PAGE)
    assert [row.kind for row in session.observations.order_by("pk")] == ["left_page", "pasted", "left_page"]


def test_page_that_notices_for_ever_fills_no_table(session, monkeypatch):
    monkeypatch.setattr(observations, "KEPT", 3)
    for _ in range(5):
        notice(session, PASTED, characters=7)
        notice(session, SECOND_SCREEN)
    assert session.observations.filter(kind=PASTED).count() == 3
    assert session.observations.filter(kind=SECOND_SCREEN).count() == 1


@pytest.mark.parametrize("characters", [0, 10_001])
def test_more_characters_than_an_answer_has_are_refused(session, characters):
    with pytest.raises(BadValue):
        notice(session, PASTED, characters=characters)


@pytest.mark.parametrize("status", ["checking", "practising", "finished", "abandoned"])
def test_nothing_is_noted_before_the_first_question_and_after_the_last(session, status):
    type(session).objects.update(status=status, finished_at=NOW)
    notice(session, LEFT_PAGE)
    assert not Observation.objects.exists()


def test_nothing_of_the_page_is_noted_in_an_interview_that_does_not_want_it(session):
    type(session.definition).objects.update(has_page_facts=False)
    notice(session, LEFT_PAGE)
    note(session.pk)
    assert [row.kind for row in session.observations.all()] == [RECONNECTED]


def test_nothing_of_the_page_is_noted_of_candidates_who_were_ever_given_something(session):
    give = {"invitation": session.invitation, "reason": "as agreed", "by": "test", "now": NOW}
    notice(session, LEFT_PAGE)
    accommodations.give(**give, is_written=True)
    accommodations.give(**give)
    notice(session, PASTED, characters=7)
    come_back(session, NOW + timedelta(seconds=3))
    assert [(row.kind, bool(row.ended_at)) for row in session.observations.all()] == [(LEFT_PAGE, True)]
