import pytest
from django.utils import timezone

from interviews.actions import sessions
from tests import factories
from tests.vendors.language_model import LanguageModelServer


@pytest.fixture
def interview(db):
    interview = factories.InterviewFactory()
    factories.QuestionFactory.create_batch(3 - interview.questions.count(), interview=interview)
    factories.publish(interview)
    return interview


@pytest.fixture
def make_invitation(interview):
    return lambda **fields: factories.InvitationFactory(interview=interview, **fields)


@pytest.fixture
def invitation(make_invitation):
    return make_invitation()


@pytest.fixture
def session(invitation):
    return sessions.start(invitation=invitation, now=timezone.now())


@pytest.fixture
def language_model(settings, clean_redis):
    """A language model that this process's settings name."""
    with LanguageModelServer() as server:
        for name, value in server.settings.items():
            setattr(settings, name, value)
        yield server
    assert server.complaints == []
