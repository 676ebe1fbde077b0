"""No page, list, export or answer of the API tells what one candidate said about groups."""

import pytest

from interviews.models import GroupDeclaration
from tests.access import addresses, organisation
from tests.access.visitors import VISITORS

SAID = "wombatkin"

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rows(clean_redis, settings):
    settings.VOICE = settings.VOICE | {"QUEUE_LIMIT": 0}  # no speech is made
    rows = organisation.make()
    declaration = GroupDeclaration(invitation=rows.invitation)
    declaration.groups = {f"Which {SAID}?": SAID}
    declaration.save()
    return rows


@pytest.mark.parametrize("visitor", ["reviewer", "recruiter", "owner", "superuser", "key: interviews"])
def test_no_one_reads_what_a_candidate_said(rows, visitor):
    client, row = VISITORS[visitor](rows), GroupDeclaration.objects.get()
    hidden = [SAID.encode(), str(row.pk).encode(), bytes(row.groups_encrypted)]
    read = 0
    for address in addresses.read_by_staff(rows):
        told = addresses.body(client.get(address.path))
        assert not any(each in told for each in hidden), address.template
        read += len(told) > 0
    assert read > 10


def test_nothing_leads_from_a_candidate_to_what_was_said(rows):
    """So no lookup, filter or list can reach it."""
    names = {field.name for field in rows.invitation._meta.get_fields()}
    assert not any("group" in name for name in names)
    assert not hasattr(rows.invitation, "groupdeclaration")
