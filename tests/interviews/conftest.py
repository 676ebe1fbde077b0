import pytest
from django.utils import timezone

from interviews.actions import sessions
from interviews.brain import language_model as client
from interviews.brain.language_model import LanguageModel
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
def closed_clients(monkeypatch):
    """Close the connections to language models that a test opens. The product keeps them."""
    opened: list[LanguageModel] = []

    class Noted(LanguageModel):
        def load(self) -> None:
            opened.append(self)
            super().load()

    monkeypatch.setattr(client, "LanguageModel", Noted)
    client._link.cache_clear()
    yield
    client._link.cache_clear()
    for each in opened:
        each._connection.close()


@pytest.fixture
def language_model(settings, clean_redis, closed_clients):
    """A language model that this process's settings name."""
    with LanguageModelServer() as server:
        for name, value in server.settings.items():
            setattr(settings, name, value)
        yield server
    assert server.complaints == []
