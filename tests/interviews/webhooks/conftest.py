from ipaddress import ip_network

import pytest
from django.utils import timezone

from interviews.actions import webhooks
from interviews.models import EventType
from tests import factories
from tests.interviews.webhooks.receiver import receiving

EVERY_EVENT = [type_.value for type_ in EventType if type_ != EventType.TEST]


@pytest.fixture
def loopback_allowed(settings):
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver(loopback_allowed):
    with receiving() as running:
        yield running


@pytest.fixture
def interview(db):
    return factories.InterviewFactory(questions=1)


@pytest.fixture
def add(receiver, interview):
    """A function that adds an endpoint of the receiver to the interview's organisation."""

    def create(events=EVERY_EVENT, url=receiver.url):
        by = factories.UserFactory()
        organisation = interview.organisation
        return webhooks.create(organisation=organisation, url=url, events=events, by=by, now=timezone.now())

    return create
