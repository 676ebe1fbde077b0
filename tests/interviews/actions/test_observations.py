from uuid import uuid4

import pytest
from django.utils import timezone

from interviews.actions import erasure, observations
from interviews.models import Observation
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
RECONNECTED = Observation.Kind.RECONNECTED


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
