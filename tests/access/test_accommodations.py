"""What reviewers see is the same whether a candidate has an accommodation or not: they score blind to it."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from interviews.actions import accommodations
from tests.access import addresses, organisation
from tests.access.visitors import VISITORS

REASON = "wombat syndrome"
CHANGES_WITH_EACH_REQUEST = re.compile(
    rb'(name="csrfmiddlewaretoken" value="|nonce="|"X-CSRFToken": "|csrf_token":? ?")[^"]*'
)

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rows(clean_redis, settings):
    settings.VOICE = settings.VOICE | {"QUEUE_LIMIT": 0}  # no speech is made
    return organisation.make()


def pages(client, rows) -> dict[str, bytes]:
    """Every page of a candidate that the visitor can read, without what differs between two requests."""
    found = {}
    for address in addresses.all_of(rows):
        is_page = re.match("/admin/interviews/(invitation|session)/", address.template)
        if address.method == "GET" and is_page:
            response = client.get(address.path)
            body = b"" if response.streaming else CHANGES_WITH_EACH_REQUEST.sub(b"", response.content)
            found[address.template] = b"%d %s" % (response.status_code, body)
    return found


def give(rows):
    accommodations.give(
        invitation=rows.invitation,
        extra_percent=100,
        is_written=True,
        reason=REASON,
        by=rows.user,
        now=timezone.now(),
    )


def test_reviewer_reads_the_same_with_an_accommodation_and_without(rows):
    client = VISITORS["reviewer"](rows)
    before = pages(client, rows)
    give(rows)
    after = pages(client, rows)
    assert [path for path in before if before[path] != after[path]] == []
    assert sum(page.startswith(b"200") for page in after.values()) >= 5
    assert not any(b"ccommodation" in page for page in after.values())


def test_recruiter_reads_the_accommodation_and_its_reason(rows):
    give(rows)
    address = reverse("admin:interviews_invitation_accommodations", args=[rows.invitation.pk])
    told = VISITORS["recruiter"](rows).get(address).content
    assert REASON.encode() in told
    assert b"100 % more time" in told


def test_no_answer_of_the_api_has_the_reason(rows):
    give(rows)
    client = VISITORS["key: interviews"](rows)
    for address in addresses.all_of(rows):
        if address.method == "GET" and address.template.startswith("/api/v1/"):
            assert REASON.encode() not in addresses.body(client.get(address.path)), address.path
