"""Sessions: their limits, the list of the own ones, ending them, and a fresh proof before what matters."""

import hashlib
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.test import AsyncClient, Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.models import BrowserSession, Membership
from accounts.sign_on import passwords, sessions, step_up
from accounts.sign_on.signals import session_ended
from tests import factories
from tests.factories import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    monkeypatch.setattr(
        "django.contrib.auth.hashers.pbkdf2", lambda password, *rest, **options: password.encode()
    )


@pytest.fixture
def ada(db, cheap_hashes):
    return factories.UserFactory(username="ada", is_staff=True, password=make_password(PASSWORD))


@pytest.fixture
def clock(monkeypatch):
    """A function that moves the time of sessions by minutes."""
    passed = [timedelta(0)]
    now, seconds = timezone.now, sessions.time.time
    monkeypatch.setattr("django.utils.timezone.now", lambda: now() + passed[0])
    monkeypatch.setattr(sessions.time, "time", lambda: seconds() + passed[0].total_seconds())

    def later(minutes):
        passed[0] += timedelta(minutes=minutes)

    return later


def signed_in(user, browser=None):
    browser = browser or Client(headers={"User-Agent": FIREFOX})
    browser.post("/admin/login/", {"username": user.username, "password": PASSWORD, "next": "/admin/"})
    return browser


def is_signed_in(browser):
    return browser.get("/admin/profile/").status_code == 200


def test_session_says_whose_it_is_and_from_where(ada):
    signed_in(ada)
    row = BrowserSession.objects.get()
    assert (row.user, row.browser, row.network) == (ada, "Firefox, Linux", "127.0.0.0/24")
    assert row.session_key not in str(row)


def test_session_ends_when_it_is_idle_and_in_any_case(ada, clock, settings):
    settings.SIGNED_IN_IDLE_MINUTES, settings.SIGNED_IN_HOURS = 30, 1
    idle, used = signed_in(ada), signed_in(ada)
    clock(20)
    assert is_signed_in(used)
    clock(20)
    assert (is_signed_in(idle), is_signed_in(used)) == (False, True)
    clock(15)
    assert is_signed_in(used)
    clock(10)
    assert not is_signed_in(used)


@pytest.mark.django_db(transaction=True)
async def test_limits_hold_for_asynchronous_readers_as_well(ada, clock):
    browser = AsyncClient()
    await browser.aforce_login(ada)
    store = sessions.SessionStore(browser.cookies["sessionid"].value)
    assert await store.aget("_auth_user_id") == str(ada.pk)
    clock(121)
    assert await sessions.SessionStore(store.session_key).aget("_auth_user_id") is None


def test_use_is_written_once_a_minute(ada, clock):
    browser = signed_in(ada)
    before = BrowserSession.objects.get().seen_at
    is_signed_in(browser)
    assert BrowserSession.objects.get().seen_at == before
    clock(2)
    is_signed_in(browser)
    assert BrowserSession.objects.get().seen_at > before


def test_own_sessions_are_listed_and_ended(ada):
    told = []
    session_ended.connect(lambda session, by, **signal: told.append((session.user_id, by.pk)), weak=False)
    this, other, third = (signed_in(ada) for _ in range(3))
    stranger = signed_in(
        factories.UserFactory(username="eve", is_staff=True, password=make_password(PASSWORD))
    )
    page = this.get("/admin/profile/sessions/").content.decode()
    assert page.count("Firefox, Linux") == 3
    assert not any(row.session_key in page for row in BrowserSession.objects.all())

    name = f"{BrowserSession.objects.get(pk=other.cookies['sessionid'].value).began_at.timestamp():.6f}"
    stranger.post("/admin/profile/sessions/", {"end": name})
    assert is_signed_in(other)
    this.post("/admin/profile/sessions/", {"end": name})
    assert [is_signed_in(each) for each in (this, other, third)] == [True, False, True]
    this.post("/admin/profile/sessions/", {"end": "others"})
    assert [is_signed_in(each) for each in (this, third, stranger)] == [True, False, True]
    assert told == [(ada.pk, ada.pk)] * 2


def test_owner_ends_sessions_of_own_people_only(ada):
    organisation = factories.MembershipFactory(user=ada).organisation
    browser = signed_in(ada)
    form = {"action": "sign_out_selected", "_selected_action": [str(ada.pk)]}
    for role, ends in ((Membership.Role.RECRUITER, False), (Membership.Role.OWNER, True)):
        client = Client()
        client.force_login(factories.MembershipFactory(organisation=organisation, role=role).user)
        client.post("/admin/accounts/user/", form)
        assert is_signed_in(browser) is not ends


def test_password_change_ends_the_other_sessions(ada):
    this, other = signed_in(ada), signed_in(ada)
    new = "a new one, and a long one"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    this.post("/admin/password_change/", form)
    assert (is_signed_in(this), is_signed_in(other)) == (True, False)
    assert BrowserSession.objects.get(pk=this.cookies["sessionid"].value).user == ada


@pytest.mark.parametrize("path", ["/admin/accounts/apikey/add/", "/admin/accounts/membership/add/"])
def test_what_matters_wants_a_fresh_proof(ada, clock, path):
    factories.MembershipFactory(user=ada, role=Membership.Role.OWNER)
    browser = signed_in(ada)
    assert browser.get(path).status_code == 200
    clock(16)
    assert browser.get("/admin/accounts/apikey/").status_code == 200
    assert browser.post(path, {}).status_code == 200  # opened in time, nothing typed is lost
    asked = browser.get(path)["Location"]
    assert asked.startswith("/admin/confirm/?next=")
    assert browser.post(asked, {"password": "wrong"}).status_code == 200
    assert browser.get(path).status_code == 302
    assert browser.post(asked, {"password": PASSWORD})["Location"] == path
    assert browser.get(path).status_code == 200


def test_form_that_lies_for_long_wants_a_fresh_proof_too(ada, clock):
    factories.MembershipFactory(user=ada, role=Membership.Role.OWNER)
    browser = signed_in(ada)
    clock(31)
    assert browser.post("/admin/accounts/apikey/add/", {})["Location"].startswith("/admin/confirm/")


def test_exports_want_a_fresh_proof(ada, clock):
    factories.MembershipFactory(user=ada, role=Membership.Role.OWNER)
    browser = signed_in(ada)
    form = {"action": "export_csv", "_selected_action": ["1"]}
    clock(31)
    for path, sent in (
        ("/admin/interviews/session/", form),
        ("/admin/accounts/user/", {"action": "activate_selected"}),
    ):
        assert browser.post(path, sent)["Location"].startswith("/admin/confirm/")
    assert browser.get("/admin/interviews/session/").status_code == 200


@pytest.mark.parametrize(
    "names", [["export_csv", ""], ["export_csv", "activate_selected"], ["", "export_csv"]]
)
def test_further_field_does_not_hide_an_export(ada, clock, names):
    factories.MembershipFactory(user=ada, role=Membership.Role.OWNER)
    browser = signed_in(ada)
    clock(31)

    answer = browser.post("/admin/interviews/session/", {"action": names, "index": "0"})

    assert answer["Location"].startswith("/admin/confirm/")


@pytest.mark.parametrize("name", ["analytics-csv", "analytics-xlsx", "audit-csv", "audit-json"])
def test_file_of_figures_or_of_the_audit_wants_a_fresh_proof(ada, clock, name):
    factories.MembershipFactory(user=ada, role=Membership.Role.OWNER)
    browser = signed_in(ada)
    clock(16)
    assert browser.get(reverse(name))["Location"].startswith("/admin/confirm/")


def test_list_takes_one_action_at_a_time(ada):
    factories.MembershipFactory(user=ada, role=Membership.Role.OWNER)
    form = {"action": ["export_csv", "export_xlsx"], "index": "0", "_selected_action": ["1"]}
    assert signed_in(ada).post("/admin/interviews/session/", form).status_code == 400


def test_pages_that_want_a_proof_exist():
    names = set()
    for pattern in get_resolver().url_patterns:
        inner = getattr(pattern, "url_patterns", [pattern])
        prefix = f"{pattern.namespace}:" if getattr(pattern, "namespace", None) else ""
        names |= {prefix + name for name in _names(inner)}

    assert names >= step_up.PAGES
    assert [name for name in names if name.startswith(step_up.EXPORT_PAGES)]


def _names(patterns):
    for pattern in patterns:
        yield from _names(pattern.url_patterns) if hasattr(pattern, "url_patterns") else [str(pattern.name)]


def test_confirmation_goes_to_no_other_site(ada):
    browser = signed_in(ada)
    answer = browser.post("/admin/confirm/?next=https://evil.example/", {"password": PASSWORD})
    assert answer["Location"] == "/admin/"


@pytest.mark.parametrize("lines", [1, 2, 500])
def test_breached_passwords_are_found_in_a_sorted_file(tmp_path, settings, lines):
    listed = [f"password number {number}" for number in range(lines)]
    hashes = sorted(hashlib.sha1(each.encode()).hexdigest().upper() for each in listed)
    file = tmp_path / "hashes.txt"
    file.write_text("".join(f"{each}:{number}\r\n" for number, each in enumerate(hashes)))

    assert all(passwords.is_listed(file, each) for each in listed)
    assert not any(passwords.is_listed(file, f"another {number}") for number in range(200))
    settings.BREACHED_PASSWORDS_FILE = str(file)
    with pytest.raises(ValidationError, match="breach"):
        passwords.NotBreachedValidator().validate(listed[0])
    passwords.NotBreachedValidator().validate("another")
