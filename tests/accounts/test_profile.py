"""The own profile: for everyone who signs in, and what pages for staff make of it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Membership
from accounts.profile import time_zones
from interview_platform.web.staff_language import of_profile
from tests import factories

pytestmark = pytest.mark.django_db

NEW_YEAR = timezone.datetime(2026, 1, 1, 23, 30, tzinfo=timezone.UTC)
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


def test_without_a_profile_the_browser_chooses(client, member):
    member(Membership.Role.OWNER)
    assert client.get(reverse("admin:index"), headers={"accept-language": "fr"})["Content-Language"] == "fr"


def test_sign_in_page_follows_the_browser(client):
    page = client.get(reverse("admin:login"), headers={"accept-language": "de"})
    assert "Anmelden" in page.content.decode()


@pytest.mark.parametrize(
    ("path", "seen"),
    [("/admin/", "de 02 08:30"), ("/playground", "de 02 08:30"), ("/i/token/", "en 01 23:30")],
)
def test_language_and_time_are_those_of_the_profile_on_pages_of_staff_only(path, seen):
    request = RequestFactory().get(path)
    request.user = factories.UserFactory(language="de", time_zone="Asia/Tokyo")
    with translation.override("en"):
        assert of_profile(page_of_staff)(request).content.decode() == seen


def test_time_zone_that_this_machine_does_not_know_is_the_standard_one():
    request = RequestFactory().get("/admin/")
    request.user = factories.UserFactory(language="en", time_zone="Mars/Olympus")
    assert of_profile(page_of_staff)(request).content == b"en 01 23:30"


@pytest.mark.django_db(transaction=True)
async def test_event_loop_serves_the_profile_too():
    request = AsyncRequestFactory().get("/admin/")
    request.user = await factories.UserFactory._meta.model.objects.acreate(
        username="ada", language="es", time_zone="Asia/Tokyo"
    )

    async def serve(request):
        return page_of_staff(request)

    assert (await of_profile(serve)(request)).content == b"es 02 08:30"


def test_time_zones_are_places():
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} <= set(time_zones())
    assert not any(name.startswith("Etc/") for name in time_zones())
