"""The own profile: for everyone who signs in, and what pages for staff make of it."""

from datetime import UTC, datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Membership, User
from accounts.profile import time_zones
from interview_platform.web.staff_language import of_profile
from tests import factories

pytestmark = pytest.mark.django_db

NEW_YEAR = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
SAVED = {"first_name": "Ada", "last_name": "Lovelace", "language": "de", "time_zone": "Asia/Tokyo"}


def page_of_staff(request):
    """A page that says in which language and time it is."""
    return HttpResponse(f"{translation.get_language()} {timezone.localtime(NEW_YEAR):%d %H:%M}")


@pytest.mark.parametrize("role", [None, *Membership.Role])
def test_everyone_who_signs_in_has_a_profile(client, role):
    user = factories.UserFactory()
    if role:
        factories.MembershipFactory(user=user, role=role)
    client.force_login(user)
    assert client.post(reverse("profile"), SAVED).status_code == 302
    user.refresh_from_db()
    assert {name: getattr(user, name) for name in SAVED} == SAVED


def test_change_of_a_profile_is_logged_without_the_name(client, member):
    user = member(Membership.Role.REVIEWER)
    client.post(reverse("profile"), SAVED)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (user, str(user.pk), "Profile.")


@pytest.mark.parametrize(
    "wrong", [{"language": "tlh"}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../etc"}]
)
def test_profile_takes_only_what_it_offers(client, member, wrong):
    user = member(Membership.Role.REVIEWER)
    assert client.post(reverse("profile"), SAVED | wrong).status_code == 200
    user.refresh_from_db()
    assert (user.language, user.time_zone) == ("", "")


def test_profile_gives_no_rights(client, member):
    user = member(Membership.Role.REVIEWER)
    client.post(reverse("profile"), SAVED | {"is_superuser": "on", "username": "root", "is_staff": ""})
    user.refresh_from_db()
    assert (user.is_superuser, user.is_staff, user.username != "root") == (False, True, True)


def test_admin_follows_the_profile_and_not_the_browser(client, member):
    member(Membership.Role.OWNER)
    client.post(reverse("profile"), SAVED)
    page = client.get(reverse("admin:index"), headers={"accept-language": "fr"})
    assert page["Content-Language"] == "de"
    assert '<html lang="de"' in page.content.decode()
    assert "Einladungen" in page.content.decode()
    assert translation.get_language() != "de", "it ends with the page"


def test_message_after_a_click_is_in_the_language_of_the_profile(client, member, ours):
    owner, key = member(Membership.Role.OWNER), factories.ApiKeyFactory(organisation=ours)
    User.objects.filter(pk=owner.pk).update(language="de")
    in_french = {"accept-language": "fr"}
    keys = reverse("admin:accounts_apikey_changelist")
    revoke = {"action": "revoke_selected", "_selected_action": [key.pk]}
    page = client.post(keys, revoke, headers=in_french, follow=True)
    [message] = page.context["messages"]
    assert str(message) == "1 Schlüssel widerrufen: Aufrufe damit werden von jetzt an abgewiesen."


def test_without_a_profile_the_browser_chooses(client, member):
    member(Membership.Role.OWNER)
    assert client.get(reverse("admin:index"), headers={"accept-language": "fr"})["Content-Language"] == "fr"


def test_sign_in_page_follows_the_browser(client):
    page = client.get(reverse("admin:login"), headers={"accept-language": "de"})
    assert "Anmelden" in page.content.decode()


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/admin/", "de 02 08:30"),
        ("/admin/password_change/", "de 02 08:30"),
        ("/playground", "de 02 08:30"),
        ("/i/token/", "en 01 23:30"),
    ],
)
def test_language_and_time_are_those_of_the_profile_on_pages_of_staff_only(path, seen):
    request = RequestFactory().get(path)
    request.user, request.session = factories.UserFactory(language="de", time_zone="Asia/Tokyo"), {}
    with translation.override("en"):
        assert of_profile(page_of_staff)(request).content.decode() == seen


def test_time_zone_that_this_machine_does_not_know_is_the_standard_one():
    request = RequestFactory().get("/admin/")
    request.user, request.session = factories.UserFactory(language="en", time_zone="Mars/Olympus"), {}
    assert of_profile(page_of_staff)(request).content == b"en 01 23:30"


@pytest.mark.django_db(transaction=True)
async def test_event_loop_serves_the_profile_too():
    request = AsyncRequestFactory().get("/admin/")
    request.user = await User.objects.acreate(username="ada", language="es", time_zone="Asia/Tokyo")
    request.session = {}

    async def serve(request):
        return page_of_staff(request)

    assert (await of_profile(serve)(request)).content == b"es 02 08:30"


def test_time_zones_are_places():
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= set(time_zones())
    assert not any(name.startswith("Etc/") for name in time_zones())


def seen_interviews(client) -> set[str]:
    page = client.get(reverse("admin:interviews_interview_changelist")).content.decode()
    return {title for title in ("Nurse", "Cook") if title in page}


@pytest.fixture
def member_of_both(client, member, ours, theirs):
    """A recruiter of ours who owns theirs. Each has an interview."""
    user = member(Membership.Role.RECRUITER)
    factories.MembershipFactory(user=user, organisation=theirs, role=Membership.Role.OWNER)
    factories.InterviewFactory(organisation=ours, title="Nurse")
    factories.InterviewFactory(organisation=theirs, title="Cook")
    return user


def choose(client, organisation) -> None:
    client.post(reverse("switch-organisation"), {"organisation": organisation.pk if organisation else ""})


def test_member_of_several_works_in_one_organisation(client, member_of_both, ours, theirs):
    assert seen_interviews(client) == {"Nurse", "Cook"}
    choose(client, ours)
    assert seen_interviews(client) == {"Nurse"}
    assert client.get(reverse("admin:accounts_apikey_changelist")).status_code == 403, "only theirs is owned"
    choose(client, theirs)
    assert seen_interviews(client) == {"Cook"}
    choose(client, None)
    assert seen_interviews(client) == {"Nurse", "Cook"}


def test_organisation_of_others_cannot_be_chosen(client, member, ours, theirs):
    member(Membership.Role.RECRUITER)
    factories.InterviewFactory(organisation=ours, title="Nurse")
    factories.InterviewFactory(organisation=theirs, title="Cook")
    choose(client, theirs)
    assert seen_interviews(client) == {"Nurse"}


def test_chosen_organisation_that_was_left_shows_the_others(client, member_of_both, ours, theirs):
    choose(client, theirs)
    member_of_both.memberships.filter(organisation=theirs).delete()
    assert seen_interviews(client) == {"Nurse"}


def test_only_members_of_several_are_offered_a_choice(client, member, theirs):
    user = member(Membership.Role.RECRUITER)
    assert reverse("switch-organisation") not in client.get(reverse("profile")).content.decode()
    factories.MembershipFactory(user=user, organisation=theirs)
    assert reverse("switch-organisation") in client.get(reverse("profile")).content.decode()
