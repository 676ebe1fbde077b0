"""Signing in at a real provider of OpenID Connect, which runs beside the test: accounts, roles, and
leavers.
"""

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import Client

from accounts.models import Membership, User
from accounts.sign_on import claims
from interview_platform.web import sign_in
from tests import factories
from tests.factories import PASSWORD
from voice.capacity.allowances import Policy

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("clean_redis"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the provider's own
]
START, CALLBACK = "/admin/login/provider/", "/admin/login/provider/callback/"


@pytest.fixture(scope="module")
def server():
    import oidc_provider_mock  # warns of what it imports itself

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        with oidc_provider_mock.run_server_in_thread() as running:
            yield f"http://localhost:{running.server_port}"


@pytest.fixture(autouse=True)
def configured(server, settings):
    cache.clear()
    settings.OIDC_ISSUER, settings.OIDC_NAME = server, "Acme ID"
    settings.OIDC_ROLES = claims.parse_roles("hr=acme:recruiter,leads=acme:owner")
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [app | {"client_id": "us", "secret": "shared", "settings": {"server_url": server}}],
        }
    }


@pytest.fixture
def acme(db):
    return factories.OrganisationFactory(name="Acme", slug="acme")


@pytest.fixture
def at_provider(server):
    """A function that goes through the provider's page as a person with these claims; returns our answer."""

    def sign_in_as(sub="ada", browser=None, start=START, **told):
        told = {"email": f"{sub}@acme.example", "email_verified": True, **told}
        httpx.put(f"{server}/users/{sub}", json=told).raise_for_status()
        browser = browser or Client()
        sent = browser.get(start)
        page = httpx.post(sent["Location"], data={"sub": sub})
        back = urlsplit(page.headers["location"])
        return browser, browser.get(f"{back.path}?{back.query}"), sent["Location"]

    return sign_in_as


def is_signed_in(browser):
    return browser.get("/admin/profile/").status_code == 200


def roles_of(name):
    return dict(Membership.objects.filter(user__username=name).values_list("organisation__slug", "role"))


def test_person_of_a_group_gets_an_account_with_its_role(acme, at_provider):
    browser, answer, sent = at_provider(
        groups=["hr", "football"], given_name="Ada", family_name="King", start=f"{START}?next=/admin/profile/"
    )
    user = User.objects.get(username="ada@acme.example")
    asked = parse_qs(urlsplit(sent).query)

    assert answer["Location"] == "/admin/profile/"
    assert is_signed_in(browser)
    assert roles_of(user.username) == {"acme": "recruiter"}
    assert (user.get_full_name(), user.has_usable_password()) == ("Ada King", False)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"http://127.0.0.1:8000{CALLBACK}"]
    assert SocialAccount.objects.get().extra_data == {}


def test_claims_change_roles_and_take_them_away(acme, at_provider):
    theirs = factories.OrganisationFactory(slug="others")
    first, _answer, _sent = at_provider(groups=["hr"])
    at_provider(groups=["hr", "leads"])
    assert roles_of("ada@acme.example") == {"acme": "owner"}

    factories.MembershipFactory(user=User.objects.get(), organisation=theirs, role=Membership.Role.REVIEWER)
    browser, answer, _sent = at_provider(groups=[])
    assert roles_of("ada@acme.example") == {"others": "reviewer"}
    assert (answer.status_code, is_signed_in(browser)) == (302, True)

    Membership.objects.filter(organisation=theirs).delete()
    browser, answer, _sent = at_provider(groups=[])
    assert answer.status_code == 403
    assert not is_signed_in(browser)
    assert not is_signed_in(first)  # a leaver's other sessions end as well


@pytest.mark.parametrize(
    "told",
    [
        {"groups": []},
        {"groups": ["hr"], "email_verified": False},
        {"groups": ["hr"], "email": ""},
    ],
    ids=["no role", "address not verified", "no address"],
)
def test_stranger_of_the_provider_gets_nothing(acme, at_provider, told):
    browser, answer, _sent = at_provider(sub="eve", **told)
    assert answer.status_code == 403
    assert not is_signed_in(browser)
    assert not User.objects.exists()


def test_account_with_the_address_becomes_the_providers(acme, at_provider, client):
    bea = factories.MembershipFactory(
        organisation=acme, user=factories.UserFactory(username="bea", email="Bea@acme.example")
    ).user
    Authenticator.objects.create(user=bea, type="totp", data={"secret": ""})
    browser, _answer, _sent = at_provider(sub="bea", groups=["leads"])
    assert not Authenticator.objects.exists()
    bea.refresh_from_db()

    assert is_signed_in(browser)
    assert roles_of("bea") == {"acme": "owner"}
    bea.set_password(PASSWORD)  # an owner gives one again
    bea.save()
    page = client.post("/admin/login/", {"username": "bea", "password": PASSWORD, "next": "/admin/"})
    assert "This account signs in with Acme ID." in page.content.decode()


@pytest.mark.parametrize(
    "fields", [{"is_superuser": True}, {"is_active": False}], ids=["operator", "deactivated"]
)
def test_address_opens_no_account_of_an_operator_or_of_somebody_who_left(acme, at_provider, fields):
    root = factories.UserFactory(username="root@acme.example", email="root@acme.example", **fields)
    factories.MembershipFactory(organisation=acme, user=root)
    browser, answer, _sent = at_provider(sub="root", groups=["leads"])
    assert answer.status_code == 403
    assert not is_signed_in(browser)


@pytest.mark.parametrize("fields", [{}, {"is_active": False}], ids=["active", "deactivated"])
def test_account_of_another_organisation_shuts_nobody_out(acme, at_provider, fields):
    email = "cem@acme.example"
    other = factories.MembershipFactory(
        organisation=factories.OrganisationFactory(slug="others"),
        user=factories.UserFactory(username=email, email=email, **fields),
    ).user

    browser, _answer, _sent = at_provider(sub="cem", groups=["hr"])

    made = SocialAccount.objects.get().user
    assert is_signed_in(browser)
    assert (made.email, roles_of(made.username)) == (email, {"acme": "recruiter"})
    assert made != other


def test_second_factor_is_the_providers_or_ours(acme, at_provider, settings):
    acme.is_second_factor_required = True
    acme.save()
    browser, answer, _sent = at_provider(groups=["hr"])
    assert answer["Location"] == "/admin/login/set-up/"
    assert not is_signed_in(browser)

    settings.OIDC_HAS_SECOND_FACTOR = True
    browser, _answer, _sent = at_provider(groups=["hr"])
    assert is_signed_in(browser)


def test_answer_belongs_to_the_browser_that_asked_and_counts_once(acme, at_provider, server):
    at_provider(groups=["hr"])
    for path in (f"{CALLBACK}?code=1&state=made-up", f"{CALLBACK}?error=access_denied", CALLBACK):
        assert Client().get(path).status_code == 403
    sent = Client().get(START)["Location"]
    back = urlsplit(httpx.post(sent, data={"sub": "ada"}).headers["location"])
    other = Client()
    assert other.get(f"{back.path}?{back.query}").status_code == 403
    assert not is_signed_in(other)


def refused_answer():
    browser = Client()
    state = parse_qs(urlsplit(browser.get(START)["Location"]).query)["state"][0]
    return browser.get(f"{CALLBACK}?error=access_denied&state={state}").status_code


def test_answers_are_counted_by_network(acme, monkeypatch):
    monkeypatch.setattr(sign_in, "OF_NETWORK", Policy("sign-in-network", 2, 900))
    assert [refused_answer() for _ in range(3)] == [403, 403, 429]
    monkeypatch.setattr(sign_in, "OF_STARTS", Policy("sign-in-starts", 5, 900))
    assert [Client().get(START).status_code for _ in range(3)] == [302, 302, 429]


def test_answers_that_no_session_waits_for_keep_nobody_out(acme, at_provider, monkeypatch):
    monkeypatch.setattr(sign_in, "OF_NETWORK", Policy("sign-in-network", 2, 900))
    strangers = [Client().get(f"{CALLBACK}?code=1&state=made-up").status_code for _ in range(4)]

    browser, _answer, _sent = at_provider(groups=["hr"])

    assert strangers == [403] * 4
    assert is_signed_in(browser)


def test_browser_that_signed_in_before_is_let_in_whatever_others_try(acme, at_provider, monkeypatch):
    monkeypatch.setattr(sign_in, "OF_NETWORK", Policy("sign-in-network", 2, 900))
    before, _answer, _sent = at_provider(groups=["hr"])
    again = Client()
    again.cookies["device"] = before.cookies["device"].value
    assert [refused_answer() for _ in range(3)] == [403, 403, 429]

    at_provider(groups=["hr"], browser=again)

    assert is_signed_in(again)


@pytest.mark.parametrize(
    ("told", "is_fresh"),
    [
        ({"auth_time": int(time.time())}, True),
        ({"auth_time": int(time.time()) - 7200}, False),
        ({"auth_time": None}, False),
    ],
    ids=["asked now", "asked hours ago", "not said"],
)
def test_proof_is_as_old_as_the_provider_says(acme, at_provider, told, is_fresh):
    browser, _answer, _sent = at_provider(groups=["leads"], **told)

    answer = browser.get("/admin/accounts/apikey/add/")

    assert is_signed_in(browser)
    assert (answer.status_code == 200) is is_fresh
    assert is_fresh or answer["Location"].startswith("/admin/confirm/")


def test_confirmation_asks_the_provider_for_a_new_proof(acme, at_provider):
    browser, _answer, _sent = at_provider(groups=["leads"])
    path = "/admin/accounts/apikey/add/"
    again, now = f"{START}?confirm=1&next={path}", int(time.time())

    _browser, answer, sent = at_provider(groups=["leads"], browser=browser, start=again, auth_time=now)

    asked = parse_qs(urlsplit(sent).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert answer["Location"] == path
    assert browser.get(path).status_code == 200


def test_without_an_issuer_there_is_no_provider(settings, client):
    assert b"Acme ID" in client.get("/admin/login/").content
    settings.OIDC_ISSUER = ""
    assert [client.get(path).status_code for path in (START, CALLBACK)] == [404, 404]
    assert b"provider" not in client.get("/admin/login/").content


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({"groups": ["a", 3]}, ({"a"}, False)),
        ({"groups": "a", "amr": ["pwd", "mfa"]}, ({"a"}, True)),
        ({"groups": {"a": 1}, "amr": "pwd"}, (set(), False)),
        ({"amr": ["pwd"]}, (set(), False)),
    ],
)
def test_claims_are_read_whatever_they_are(told, wanted):
    person = claims.person_of(
        {"sub": "1", **told}, groups_claim="groups", is_email_verified=False, has_second_factor=False
    )
    assert (set(person.groups), person.has_second_factor) == wanted


def test_groups_may_lie_within_a_claim():
    told = {"sub": "1", "realm_access": {"roles": ["hr"]}, "https://acme.example/groups": ["x"]}
    for path, groups in {
        "realm_access.roles": {"hr"},
        "https://acme.example/groups": {"x"},
        "no.such": set(),
    }.items():
        person = claims.person_of(told, groups_claim=path, is_email_verified=False, has_second_factor=False)
        assert person.groups == groups


@pytest.mark.parametrize("wrong", ["hr", "hr=acme", "hr=acme:king", "=acme:owner"])
def test_roles_that_are_no_pairs_are_refused(wrong):
    with pytest.raises(ValueError, match="pairs"):
        claims.parse_roles(wrong)


def test_strongest_role_of_several_groups_counts():
    given = claims.parse_roles("a=x:reviewer, b=x:owner, c=x:recruiter, urn:d=y:reviewer")
    assert claims.roles_of(["a", "b", "c", "urn:d", "e"], given) == {"x": "owner", "y": "reviewer"}
