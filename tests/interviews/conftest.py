import django_rq
import pytest

from interviews.actions import sessions
from tests import factories


@pytest.fixture
def interview(db):
    interview = factories.InterviewFactory()
    factories.QuestionFactory.create_batch(3 - interview.questions.count(), interview=interview)
    return interview


@pytest.fixture
def make_invitation(interview):
    return lambda **fields: factories.InvitationFactory(interview=interview, **fields)


@pytest.fixture
def invitation(make_invitation):
    return make_invitation()


@pytest.fixture
def session(invitation, django_db_blocker):
    from django.utils import timezone

    return sessions.start(invitation=invitation, now=timezone.now())


@pytest.fixture
def queued(clean_redis):
    """Ids of the jobs in a queue."""
    return lambda name: django_rq.get_queue(name).job_ids
