import re
from datetime import timedelta

import pytest
from django.utils import timezone

from interviews.actions import accommodations
from interviews.models import Observation, Session
from interviews.queries.integrity import FactKind, facts_of
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def at(minute):
    return NOW + timedelta(minutes=minute)


@pytest.fixture
def session():
    return factories.SessionFactory()


def facts(session):
    found = facts_of(session, session.answers.all())
    return [(fact.at, re.split("[.:]", fact.text)[0], fact.number) for fact in found]


def test_facts_are_told_in_the_order_in_which_they_happened(session):
    factories.AnswerFactory(
        session=session, position=1, asked_at=at(0), asked_again_at=at(2), is_silent=True, completed_at=at(5)
    )
    factories.AnswerFactory(session=session, position=2, typed_text="I write.", completed_at=at(7))
    Observation.objects.create(session=session, kind=Observation.Kind.RECONNECTED, happened_at=at(3))
    assert facts(session) == [
        (at(2), "Asked again", "1"),
        (at(3), "The connection was lost and came back", ""),
        (at(5), "Nothing was heard until the limit, the second time too", "1"),
        (at(7), "Typed instead of spoken", "2"),
    ]


def test_facts_have_kinds_that_programs_rely_on():
    assert [kind.value for kind in FactKind] == [
        *("asked_again", "silent", "typed", "reconnected", "opened_again"),
        *("left_page", "pasted", "second_screen"),
    ]
    assert set(Observation.Kind.values) < {kind.value for kind in FactKind}


def test_no_fact_tells_how_long_a_candidate_could_take(session):
    for minutes, position in ((1, 1), (9, 2)):
        factories.AnswerFactory(
            session=session, position=position, asked_at=at(0), asked_again_at=at(minutes)
        )
    first, second = facts_of(session, session.answers.all())
    assert first.text == second.text


def test_interview_that_went_its_way_has_no_facts(session):
    factories.AnswerFactory(session=session, position=1, accepted=True)
    assert facts(session) == []


def test_what_the_page_noticed_before_an_accommodation_is_not_told(session):
    for kind in Observation.Kind:
        factories.ObservationFactory(session=session, kind=kind)
    given = {"invitation": session.invitation, "reason": "as agreed", "by": "test", "now": NOW}
    accommodations.give(**given, is_written=True)
    accommodations.give(**given)
    found = facts_of(Session.objects.get(), [])
    assert {fact.kind for fact in found} == {FactKind.RECONNECTED, FactKind.OPENED_AGAIN}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"ended_at": at(0)}, "Left the page for 1 s."),
        ({"ended_at": at(0.2)}, "Left the page for 12 s."),
        ({"ended_at": at(62)}, "Left the page for 62 min 0 s."),
        ({}, "Left the page. It was not seen coming back."),
        ({"kind": "pasted", "characters": 1}, "Pasted 1 character into the written answer."),
        ({"kind": "pasted", "characters": 812}, "Pasted 812 characters into the written answer."),
        ({"kind": "second_screen"}, "A second screen was connected."),
    ],
)
def test_what_the_page_noticed_is_told_in_plain_words(session, fields, text):
    answer = factories.AnswerFactory(session=session, position=2)
    factories.ObservationFactory(
        session=session, answer=answer, happened_at=at(0), **({"kind": "left_page"} | fields)
    )
    [fact] = facts_of(session, [answer])
    assert (fact.text, fact.number, fact.at) == (text, "2", at(0))
