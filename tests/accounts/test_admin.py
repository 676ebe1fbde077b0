import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, Membership, Organisation, User
from tests import factories

Role = Membership.Role
NO_MEMBERSHIPS = {
    "memberships-TOTAL_FORMS": "0",
    "memberships-INITIAL_FORMS": "0",
}


def url(model, page, *args):
    return reverse(f"admin:accounts_{model}_{page}", args=args)


@pytest.mark.parametrize("model", ["organisation", "user", "membership", "apikey"])
def test_lists_open_for_an_owner(client, member, model):
    member(Role.OWNER)
    assert client.get(url(model, "changelist")).status_code == 200


@pytest.mark.parametrize("model", ["user", "apikey"])
@pytest.mark.parametrize("role", [Role.RECRUITER, Role.REVIEWER])
def test_people_and_keys_are_for_owners(client, member, model, role):
    member(role)
    assert client.get(url(model, "changelist")).status_code == 403


def test_user_list_shows_own_people_only(client, member, theirs):
    stranger = factories.MembershipFactory(organisation=theirs).user
    owner = member(Role.OWNER)
    page = client.get(url("user", "changelist")).content.decode()
    assert owner.username in page
    assert stranger.username not in page


def test_role_list_names_no_foreign_organisation(client, member, ours, theirs):
    owner = member(Role.OWNER)
    factories.MembershipFactory(organisation=theirs, user=owner, role=Role.REVIEWER)
    shared = factories.MembershipFactory(organisation=ours).user
    other = factories.OrganisationFactory(name="Third party")
    factories.MembershipFactory(organisation=other, user=shared)
    page = client.get(url("user", "changelist")).content.decode()
    assert shared.username in page
    assert "Third party" not in page


def test_owner_adds_a_person_with_a_role(client, member, ours):
    member(Role.OWNER)
    posted = {
        "username": "neu",
        "email": "neu@example.com",
        "password1": factories.PASSWORD,
        "password2": factories.PASSWORD,
        "usable_password": "true",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-organisation": ours.pk,
        "memberships-0-role": Role.REVIEWER,
    }
    response = client.post(url("user", "add"), posted)
    assert response.status_code == 302, response.context["errors"]
    person = User.objects.get(username="neu")
    assert (person.is_staff, person.is_superuser, person.roles) == (True, False, {ours.pk: Role.REVIEWER})


def test_passwords_have_twelve_characters_at_least():
    with pytest.raises(ValidationError, match="at least 12 characters"):
        validate_password("kaleidoscop")
    validate_password("kaleidoscope")


def test_owner_cannot_put_a_person_into_another_organisation(client, member, theirs):
    member(Role.OWNER)
    posted = {
        "username": "neu",
        "password1": factories.PASSWORD,
        "password2": factories.PASSWORD,
        "usable_password": "true",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-organisation": theirs.pk,
        "memberships-0-role": Role.OWNER,
    }
    assert client.post(url("user", "add"), posted).status_code == 200
    assert not User.objects.filter(username="neu").exists()


def test_owner_cannot_make_a_superuser(client, member, ours):
    member(Role.OWNER)
    colleague = factories.MembershipFactory(organisation=ours).user
    posted = {"username": colleague.username, "is_active": "on", "is_superuser": "on", **NO_MEMBERSHIPS}
    assert client.post(url("user", "change", colleague.pk), posted).status_code == 302
    colleague.refresh_from_db()
    assert not colleague.is_superuser


def test_owner_cannot_set_the_password_of_someone_shared(client, member, ours, theirs):
    member(Role.OWNER)
    shared = factories.MembershipFactory(organisation=ours).user
    factories.MembershipFactory(organisation=theirs, user=shared)
    address = reverse("admin:auth_user_password_change", args=[shared.pk])
    assert client.get(address).status_code == 403


def test_owner_cannot_see_a_stranger(client, member, theirs):
    member(Role.OWNER)
    stranger = factories.MembershipFactory(organisation=theirs).user
    response = client.get(url("user", "change", stranger.pk), follow=True)
    assert stranger.username not in response.content.decode()


def test_role_form_offers_own_people_and_organisations_only(client, member, theirs):
    stranger = factories.MembershipFactory(organisation=theirs).user
    member(Role.OWNER)
    page = client.get(url("membership", "add")).content.decode()
    assert stranger.username not in page
    assert "Theirs" not in page


@pytest.mark.parametrize("role", [Role.RECRUITER, Role.REVIEWER])
def test_only_owners_change_roles(client, member, role):
    membership = member(role).memberships.get()
    client.post(url("membership", "change", membership.pk), {"role": Role.OWNER})
    membership.refresh_from_db()
    assert membership.role == role


def test_owner_changes_own_organisation_but_adds_none(client, member, ours):
    member(Role.OWNER)
    posted = {"name": "Ours Ltd", "slug": "ours", "accent_colour": "#0b6e4f"}
    assert client.post(url("organisation", "change", ours.pk), posted).status_code == 302
    assert Organisation.objects.get().name == "Ours Ltd"
    assert client.get(url("organisation", "add")).status_code == 403


def test_accent_colour_that_is_none_is_a_form_error(client, member, ours):
    member(Role.OWNER)
    posted = {"name": "Ours", "slug": "ours", "accent_colour": "red;}"}
    response = client.post(url("organisation", "change", ours.pk), posted)
    assert "accent_colour" in response.context["errors"].data[0].as_text() or response.status_code == 200
    ours.refresh_from_db()
    assert ours.accent_colour == ""


def issue(client, organisation):
    posted = {"organisation": organisation.pk, "name": "ATS", "scopes": ["interviews:read"]}
    return client.post(url("apikey", "add"), posted)


def test_api_key_is_shown_once_and_kept_as_hash(client, member, ours):
    member(Role.OWNER)
    page = issue(client, ours).content.decode()
    row = ApiKey.objects.get()
    secret = page.split('id="issued-key" type="text" readonly value="')[1].split('"')[0]
    assert ApiKey.find(secret) == row
    for later in (url("apikey", "change", row.pk), url("apikey", "changelist")):
        assert secret not in client.get(later).content.decode()
    assert secret not in str(ApiKey.objects.values().get())


def test_api_key_for_another_organisation_is_refused(client, member, theirs):
    member(Role.OWNER)
    assert issue(client, theirs).status_code == 200
    assert not ApiKey.objects.exists()


def revoke_address(key):
    return reverse("admin:accounts_apikey_revoke_key", args=[key.pk])


def test_revoked_key_is_found_no_more(client, member, ours):
    member(Role.OWNER)
    key = factories.ApiKeyFactory(organisation=ours)
    assert client.get(revoke_address(key)).status_code == 200
    assert ApiKey.find(key.plain), "asking first changes nothing"
    client.post(revoke_address(key), {"_form_submitted": "on"})
    assert ApiKey.find(key.plain) is None


def test_foreign_key_cannot_be_revoked(client, member, theirs):
    member(Role.OWNER)
    key = factories.ApiKeyFactory(organisation=theirs)
    assert client.post(revoke_address(key), {"_form_submitted": "on"}).status_code == 403
    action = {"action": "revoke_selected", "_selected_action": [key.pk]}
    client.post(url("apikey", "changelist"), action)
    assert ApiKey.find(key.plain)


def test_queue_pages_are_for_superusers(client, member, clean_redis):
    assert client.get("/django-rq/").status_code == 302
    member(Role.OWNER)
    assert client.get("/django-rq/").status_code == 403
    client.force_login(factories.UserFactory(is_superuser=True))
    assert client.get("/django-rq/").status_code == 200


@pytest.fixture
def leaver(member, ours):
    """A colleague who made a key; an owner is signed in."""
    person = factories.MembershipFactory(organisation=ours).user
    person.key = factories.ApiKeyFactory(organisation=ours, name="ATS", by=person)
    person.owner = member(Role.OWNER)
    return person


def act(client, action, *people):
    posted = {"action": action, "_selected_action": [person.pk for person in people]}
    return client.post(url("user", "changelist"), posted, follow=True).content.decode()


@pytest.mark.parametrize("is_superuser", [False, True])
def test_people_are_not_deleted(client, leaver, is_superuser):
    if is_superuser:
        client.force_login(factories.UserFactory(is_superuser=True))
    assert client.post(url("user", "delete", leaver.pk), {"post": "yes"}).status_code == 403
    act(client, "delete_selected", leaver)
    assert User.objects.filter(pk=leaver.pk).exists()
    assert "delete_selected" not in client.get(url("user", "changelist")).content.decode()
    with pytest.raises(ProtectedError):
        leaver.delete()


def test_deactivating_ends_access_and_keeps_history_and_keys(client, leaver, ours):
    own = Client()
    own.force_login(leaver)
    assert own.get("/admin/").status_code == 200
    LogEntry.objects.log_actions(leaver.pk, [ours], 2, "Renamed.", single_object=True)

    page = act(client, "deactivate_selected", leaver, leaver.owner)

    assert "1 people deactivated" in page, "the owner who did it stays"
    assert f"{leaver.key}" in page
    assert own.get("/admin/").status_code == 302
    assert not own.login(username=leaver.username, password=factories.PASSWORD)
    assert LogEntry.objects.filter(user=leaver, change_message="Renamed.").exists()
    assert LogEntry.objects.filter(
        user=leaver.owner, object_id=leaver.pk, change_message="Deactivated."
    ).exists()
    assert ApiKey.find(leaver.key.plain)
    for list_or_key in (url("apikey", "changelist"), url("apikey", "change", leaver.key.pk)):
        assert f"{leaver}, deactivated" in client.get(list_or_key).content.decode()
    ApiKey.objects.update(revoked_at=timezone.now())
    assert "goes on working" not in client.get(url("apikey", "changelist")).content.decode()
    act(client, "activate_selected", leaver)
    assert own.login(username=leaver.username, password=factories.PASSWORD)


def test_page_of_a_person_names_the_keys_and_what_becomes_of_them(client, leaver):
    page = client.get(url("user", "change", leaver.pk)).content.decode()
    assert str(leaver.key) in page
    assert "go on working" in page
    ApiKey.objects.update(revoked_at=timezone.now())
    assert str(leaver.key) not in client.get(url("user", "change", leaver.pk)).content.decode()


def test_owner_sees_no_keys_of_another_organisation(client, member, ours, theirs):
    member(Role.OWNER)
    shared = factories.MembershipFactory(organisation=ours).user
    foreign = factories.ApiKeyFactory(organisation=theirs, name="Secret system", by=shared)
    page = client.get(url("user", "change", shared.pk)).content.decode()
    assert foreign.name not in page


@pytest.mark.parametrize("who", ["shared", "chief", "stranger"])
def test_owner_deactivates_only_people_of_the_own_organisation(client, member, ours, theirs, who):
    member(Role.OWNER)
    person = factories.UserFactory(is_superuser=who == "chief")
    for organisation in {"shared": [ours, theirs], "chief": [ours], "stranger": [theirs]}[who]:
        factories.MembershipFactory(organisation=organisation, user=person)
    act(client, "deactivate_selected", person)
    person.refresh_from_db()
    assert person.is_active


def test_own_page_cannot_take_the_own_access_away(client, member):
    owner = member(Role.OWNER)
    posted = {"username": owner.username, **NO_MEMBERSHIPS}
    client.post(url("user", "change", owner.pk), posted)
    owner.refresh_from_db()
    assert owner.is_active


def test_issued_key_names_its_maker(client, member, ours):
    owner = member(Role.OWNER)
    issue(client, ours)
    assert ApiKey.objects.get().created_by == owner
    assert str(owner) in client.get(url("apikey", "changelist")).content.decode()


def test_key_of_an_unknown_maker_says_so(client, member, ours):
    member(Role.OWNER)
    key = factories.ApiKeyFactory(organisation=ours)
    assert "not known" in client.get(url("apikey", "change", key.pk)).content.decode()
