"""Owners search the audit and take it away; nobody else sees it."""

import csv
import io
import json

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.audit import chain
from accounts.audit.models import AuditEntry, AuditLink
from accounts.audit.recording import Actor, Entry, Kind, Outcome, record
from accounts.models import Membership
from interviews.auditing import pages
from tests import factories

Role = Membership.Role
PAGE = "/admin/audit/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


@pytest.fixture
def invitation(ours):
    return factories.InvitationFactory(interview__organisation=ours, candidate_name="Ada Lovelace")


@pytest.fixture
def colleague(ours):
    return factories.MembershipFactory(organisation=ours, user__username="bea").user


@pytest.fixture
def entries(ours, theirs, invitation, colleague):
    now = timezone.now()
    said = {"actor": Actor.PERSON, "person_id": colleague.pk}
    record(
        Entry(Kind.HEARD, "heard-by-bea", now, **said), organisations=[ours.pk], candidates=[invitation.pk]
    )
    record(Entry(Kind.READ, "refused-to-bea", now, outcome=Outcome.REFUSED, **said), organisations=[ours.pk])
    record(Entry(Kind.ERASED, "by-the-clock", now), organisations=[ours.pk], candidates=[ours_erased()])
    record(Entry(Kind.READ, "at-theirs", now, **said), organisations=[theirs.pk])
    record(Entry(Kind.READ, "of-the-platform", now))


def ours_erased():
    return "6f1c0000-0000-4000-8000-000000000000"


def listed(client, **asked):
    page = client.get(PAGE, asked).content.decode()
    return {door for door in DOORS if f"<code>{door}</code>" in page}


DOORS = ("heard-by-bea", "refused-to-bea", "by-the-clock", "at-theirs", "of-the-platform")
OWN = set(DOORS[:3])
FILTERS = [
    ({}, OWN),
    ({"person": "BEA"}, {"heard-by-bea", "refused-to-bea"}),
    ({"person": "nobody"}, set()),
    ({"candidate": "lovelace"}, {"heard-by-bea"}),
    ({"candidate": "6f1c0000-0000-4000-8000-000000000000"}, {"by-the-clock"}),
    ({"candidate": "nobody"}, set()),
    ({"kind": "erased"}, {"by-the-clock"}),
    ({"outcome": "refused"}, {"refused-to-bea"}),
    ({"since": "2999-01-01"}, set()),
    ({"until": "2999-01-01"}, OWN),
    ({"until": "2020-01-01"}, set()),
    ({"kind": "nonsense"}, OWN),
]


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize(("asked", "found"), FILTERS)
def test_owner_finds_entries_of_the_own_organisation(client, member, asked, found):
    member(Role.OWNER)
    assert listed(client, **asked) == found


@pytest.mark.usefixtures("entries")
def test_page_names_people_and_candidates_as_far_as_there_are_any(client, member):
    member(Role.OWNER)
    page = client.get(PAGE).content.decode()
    assert "Ada Lovelace" in page
    assert "6f1c0000…, erased" in page
    assert ">bea<" in page


@pytest.mark.usefixtures("entries")
def test_person_of_another_organisation_is_not_named(client, member, ours):
    stranger = factories.UserFactory(username="stranger")
    entry = Entry(Kind.READ, "x", timezone.now(), actor=Actor.PERSON, person_id=stranger.pk)
    record(entry, organisations=[ours.pk])
    member(Role.OWNER)
    page = client.get(PAGE).content.decode()
    assert f"person {stranger.pk}, who is no member" in page
    assert "stranger" not in page


def test_key_of_another_organisation_is_not_named(client, member, ours, theirs):
    own, foreign = (
        factories.ApiKeyFactory(organisation=organisation, name=f"key of {organisation.name}")
        for organisation in (ours, theirs)
    )
    for key in (own, foreign):
        entry = Entry(Kind.READ, "x", timezone.now(), actor=Actor.KEY, key_id=key.pk)
        record(entry, organisations=[ours.pk])
    member(Role.OWNER)
    page = client.get(PAGE).content.decode()
    assert "key of Ours" in page
    assert "key of Theirs" not in page
    assert str(foreign.pk) in page


@pytest.mark.parametrize("role", [Role.RECRUITER, Role.REVIEWER])
def test_others_see_no_audit(client, member, role):
    member(role)
    for address in (PAGE, f"{PAGE}export.csv", f"{PAGE}export.json"):
        assert client.get(address).status_code == 403


def test_pages_go_on_where_the_last_one_ended(client, member, ours, monkeypatch):
    monkeypatch.setattr(pages, "ON_A_PAGE", 2)
    now = timezone.now()
    for number in range(5):
        record(Entry(Kind.HEARD, f"door-{number}", now), organisations=[ours.pk])
    member(Role.OWNER)
    seen, address = [], f"{PAGE}?kind=heard"
    while address:
        response = client.get(address)
        seen += [row.entry.door for row in response.context["rows"]]
        last = response.context["next"]
        address = last and f"{PAGE}?kind=heard&before={last}"
    assert seen == [f"door-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.usefixtures("entries")
def test_list_takes_as_many_statements_for_many_entries(client, member, ours, django_assert_max_num_queries):
    member(Role.OWNER)
    client.get(PAGE)
    for _ in range(30):
        record(Entry(Kind.HEARD, "x", timezone.now()), organisations=[ours.pk])
    with django_assert_max_num_queries(12):
        client.get(PAGE)


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_export_has_every_entry_with_its_place_in_the_chain(client, member, ours, kind, monkeypatch):
    monkeypatch.setattr(pages, "AT_ONCE", 2)
    member(Role.OWNER)
    chain.extend()
    address = reverse(f"audit-{kind}")
    content = b"".join(client.get(f"{address}?until=2999-01-01").streaming_content).decode("utf-8-sig")

    rows = json.loads(content) if kind == "json" else list(csv.DictReader(io.StringIO(content)))
    doors = [row["door"] for row in rows if row["door"] in DOORS]
    assert doors == ["by-the-clock", "refused-to-bea", "heard-by-bea"]
    link = AuditLink.objects.get(entry=next(row["id"] for row in rows if row["door"] == "by-the-clock"))
    row = next(row for row in rows if row["door"] == "by-the-clock")
    assert (str(row["number"]), row["mac"]) == (str(link.number), bytes(link.mac).hex())
    assert "Ada Lovelace" not in content
    entry = AuditEntry.objects.filter(kind=Kind.EXPORTED).first()
    assert (entry.door, entry.organisation_id) == (f"audit-{kind}", ours.pk)
    assert entry.filter == {"until": ["2999-01-01"]}


def test_export_of_nothing_is_an_empty_list(client, member):
    member(Role.OWNER)
    response = client.get(f"{PAGE}export.json?kind=expired")
    assert json.loads(b"".join(response.streaming_content)) == []
