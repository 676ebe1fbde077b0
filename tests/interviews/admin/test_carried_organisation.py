"""Who works in two organisations saves a form in the one that it was opened for, or not at all."""

import re

import pytest
from django.urls import reverse

from accounts.models import Membership
from interviews.models import BankQuestion, Interview
from tests import factories
from tests.interviews.admin.test_interview_admin import form

pytestmark = pytest.mark.usefixtures("clean_redis")
QUESTION = {"text": "Why here?", "language": "en", "tags": "", "competencies": ""}
FORMS = {
    "bankquestion": (
        BankQuestion,
        QUESTION | {"think_seconds": 30, "answer_limit_seconds": 90, "retakes": 1},
    ),
    "interview": (Interview, form("Why here?")),
}


def choose(client, organisation):
    """Work in this organisation, as the profile does."""
    session = client.session
    session["organisation"] = organisation.pk
    session.save()


@pytest.fixture
def both(member, theirs):
    factories.MembershipFactory(user=member(), organisation=theirs, role=Membership.Role.RECRUITER)


@pytest.mark.parametrize("name", FORMS)
def test_form_of_one_organisation_is_not_saved_in_another(client, both, ours, theirs, name):
    model, posted = FORMS[name]
    address = reverse(f"admin:interviews_{name}_add")
    choose(client, ours)
    page = client.get(address).content.decode()
    [carried] = re.findall(r'<input type="hidden" name="organisation" value="(\d+)"', page)
    assert carried == str(ours.pk)

    choose(client, theirs)
    refused = client.post(address, posted | {"organisation": carried})

    assert "opened for another organisation" in refused.content.decode()
    assert not model.objects.exists()
    choose(client, ours)
    assert client.post(address, posted | {"organisation": carried}).status_code == 302
    assert model.objects.get().organisation == ours


@pytest.mark.parametrize("name", FORMS)
def test_form_asks_who_has_not_chosen(client, both, ours, name):
    page = client.get(reverse(f"admin:interviews_{name}_add")).content.decode()
    assert '<select name="organisation"' in page
