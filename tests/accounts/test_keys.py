"""Keys: what they may do, from where, until when; their use is noted; how one replaces another."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import SCOPES_OF_BEFORE, ApiKey, Membership
from accounts.rest_keys import WrongNetwork, WrongScope, admit, check
from tests import factories

pytestmark = pytest.mark.django_db
Role, Scope = Membership.Role, ApiKey.Scope
ADD, LIST = reverse("admin:accounts_apikey_add"), reverse("admin:accounts_apikey_changelist")
HERE = "192.0.2.1"


def in_days(days):
    return timezone.now() + timedelta(days=days)


def test_key_of_the_release_before_does_what_it_did(ours):
    """It is written as that release does it, without the new columns."""
    key = factories.ApiKeyFactory(organisation=ours)
    with connection.cursor() as cursor:
        cursor.execute("""UPDATE accounts_apikey SET granted = NULL, scopes = '["interviews", "voice"]'""")

    key.refresh_from_db()

    assert key.granted == {*SCOPES_OF_BEFORE["interviews"], *SCOPES_OF_BEFORE["voice"]}


def test_new_key_is_refused_by_the_release_before(ours):
    assert factories.ApiKeyFactory(organisation=ours).scopes_of_before == []


def test_scope_that_is_missing_is_named():
    key = ApiKey(scopes=[Scope.RESULTS_READ])
    check(key, scope=Scope.RESULTS_READ, address=HERE)

    with pytest.raises(WrongScope, match="erasure:write"):
        check(key, scope=Scope.ERASURE_WRITE, address=HERE)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("203.0.113.9", True),
        ("::ffff:203.0.113.9", True),
        ("2001:db8::7", True),
        ("203.0.114.9", False),
        ("2001:db9::7", False),
        ("", False),
        ("no address", False),
    ],
)
def test_networks_limit_where_a_key_is_used(address, is_allowed):
    assert ApiKey(networks="203.0.113.0/24\n2001:db8::/48").is_allowed_from(address) is is_allowed


def test_key_from_a_wrong_network_is_refused_and_counted(client, ours, clean_redis, settings):
    settings.BEHIND_PROXY = True
    key = factories.ApiKeyFactory(organisation=ours, networks="203.0.113.0/24")
    headers = {"Authorization": f"Bearer {key.plain}"}

    inside = client.get(
        "/api/v1/interviews", headers={**headers, "X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    )
    outside = client.get(
        "/api/v1/interviews", headers={**headers, "X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
    )

    assert (inside.status_code, outside.status_code) == (200, 403)
    assert clean_redis.get("voice:wrong-keys:198.51.100.0/24") == b"1"


@pytest.mark.parametrize(("days", "is_found"), [(1, True), (-1, False)])
def test_key_ends_when_it_expires(ours, days, is_found):
    key = factories.ApiKeyFactory(organisation=ours, expires_at=in_days(days))

    assert bool(ApiKey.find(key.plain)) is is_found


def deactivate(membership):
    membership.user.is_active = False
    membership.user.save()


def leave(membership):
    membership.delete()


def become_recruiter(membership):
    membership.role = Role.RECRUITER
    membership.save()


@pytest.mark.parametrize("end", [deactivate, leave, become_recruiter])
@pytest.mark.parametrize("is_personal", [True, False])
def test_personal_key_ends_with_its_person(ours, end, is_personal):
    owner = factories.MembershipFactory(organisation=ours, role=Role.OWNER)
    key = factories.ApiKeyFactory(organisation=ours, by=owner.user, is_personal=is_personal)
    assert ApiKey.find(key.plain)

    end(owner)

    assert bool(ApiKey.find(key.plain)) is not is_personal


def test_use_is_noted_once_a_minute(ours, django_assert_num_queries):
    key = factories.ApiKeyFactory(organisation=ours)
    with django_assert_num_queries(2):
        admit(key.plain, scope=Scope.RESULTS_READ, address=HERE)
    with django_assert_num_queries(1):
        admit(key.plain, scope=Scope.RESULTS_READ, address=HERE)
    noted = ApiKey.objects.get().last_used_at
    assert noted
    assert (noted.second, noted.microsecond) == (0, 0)

    ApiKey.objects.update(last_used_at=noted - timedelta(minutes=2))
    admit(key.plain, scope=Scope.RESULTS_READ, address=HERE)

    assert ApiKey.objects.get().last_used_at >= noted


def test_key_that_is_refused_is_not_in_use(ours):
    key = factories.ApiKeyFactory(organisation=ours, networks="203.0.113.0/24")

    with pytest.raises(WrongNetwork):
        admit(key.plain, scope=Scope.RESULTS_READ, address=HERE)

    assert ApiKey.objects.get().last_used_at is None


def posted(**changes):
    return {"name": "ATS", "scopes": [Scope.RESULTS_READ], "networks": "", "overlap": "24", **changes}


@pytest.fixture
def earlier(member, ours):
    """A key of the organisation; its owner is signed in."""
    member(Role.OWNER)
    return factories.ApiKeyFactory(organisation=ours, name="ATS", networks="203.0.113.0/24")


def test_personal_key_belongs_to_whoever_makes_it(client, earlier, ours):
    client.post(ADD, posted(organisation=ours.pk, is_personal="on"))

    key = ApiKey.objects.exclude(pk=earlier.pk).get()
    assert key.is_personal
    assert f"{key.created_by}, for this person alone" in client.get(LIST).content.decode()


def test_personal_key_whose_person_is_gone_can_be_revoked_for_good(client, earlier):
    ApiKey.objects.update(is_personal=True)
    address = reverse("admin:accounts_apikey_revoke_key", args=[earlier.pk])

    client.post(address, {"_form_submitted": "on"})

    assert ApiKey.objects.get().revoked_at


def test_form_of_a_replacement_shows_what_the_earlier_key_may_do(client, earlier):
    button = client.get(reverse("admin:accounts_apikey_replace_key", args=[earlier.pk]))

    form = client.get(button["Location"]).context["adminform"].form

    assert form.initial["scopes"] == sorted(earlier.granted)
    assert (form.initial["name"], form.initial["networks"]) == ("ATS", "203.0.113.0/24")


@pytest.mark.parametrize("hours", [0, 24])
def test_replaced_key_works_until_the_overlap_ends(client, earlier, hours):
    page = client.post(f"{ADD}?replaces={earlier.pk}", posted(overlap=str(hours))).content.decode()

    newer = ApiKey.objects.exclude(pk=earlier.pk).get()
    earlier.refresh_from_db()
    assert (newer.organisation, newer.granted) == (earlier.organisation, {Scope.RESULTS_READ})
    assert earlier.replaced_by == newer
    assert abs(earlier.expires_at - in_days(hours / 24)) < timedelta(minutes=5)
    assert bool(ApiKey.find(earlier.plain)) is (hours > 0)
    assert "replaced" in client.get(LIST).content.decode()
    assert newer.hint in page


def test_replacing_never_lengthens_a_life(client, earlier):
    soon = timezone.now() + timedelta(hours=1)
    ApiKey.objects.update(expires_at=soon)

    client.post(f"{ADD}?replaces={earlier.pk}", posted())

    earlier.refresh_from_db()
    assert earlier.expires_at == soon


@pytest.mark.parametrize("make", ["foreign", "revoked"])
def test_key_that_opens_nothing_here_cannot_be_replaced(client, earlier, theirs, make):
    key = (
        factories.ApiKeyFactory(organisation=theirs)
        if make == "foreign"
        else factories.ApiKeyFactory(organisation=earlier.organisation, revoked_at=timezone.now())
    )

    assert client.post(f"{ADD}?replaces={key.pk}", posted()).status_code == 404
    assert client.get(f"{ADD}?replaces=nonsense").status_code == 404
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "is_taken"),
    [
        ("networks", "203.0.113.9/24, 2001:db8::/48", True),
        ("networks", "office", False),
        ("expires_at_0", "2001-01-01", False),
    ],
)
def test_limits_of_a_new_key_are_checked(client, earlier, field, value, is_taken):
    ends = {"expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}
    sent = posted(organisation=earlier.organisation_id, **(ends | {field: value}))

    client.post(ADD, sent)

    made = ApiKey.objects.exclude(pk=earlier.pk)
    assert [key.networks for key in made] == (["203.0.113.0/24\n2001:db8::/48"] if is_taken else [])


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "valid"),
        ({"expires_at": in_days(3)}, "expires"),
        ({"expires_at": in_days(-3)}, "expired"),
        ({"revoked_at": in_days(-3)}, "revoked"),
        ({"is_personal": True}, "ended with its person"),
    ],
)
def test_list_tells_the_state_of_a_key(client, earlier, changes, state):
    ApiKey.objects.update(**changes)

    page = client.get(LIST)

    assert f">{state}" in " ".join(page.content.decode().split()).replace("> ", ">")
    assert len(list(get_messages(page.wsgi_request))) == (1 if state == "expires" else 0)
