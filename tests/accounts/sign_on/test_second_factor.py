"""The second factor: set up, asked for, used once, required, lost, and guessed no faster than a password."""

import json
import time
from functools import partial

import pytest
from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_login_failed
from django.test import Client

from accounts.models import BrowserSession, Membership
from accounts.sign_on import second_factor
from interview_platform.web import sign_in
from interviews import tokens
from tests import factories
from tests.factories import PASSWORD
from voice.capacity.allowances import Policy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN, SECOND, SET_UP, OWN = (
    "/admin/login/",
    "/admin/login/second/",
    "/admin/login/set-up/",
    "/admin/profile/second-factor/",
)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    monkeypatch.setattr(
        "django.contrib.auth.hashers.pbkdf2", lambda password, *rest, **options: password.encode()
    )


@pytest.fixture
def now(monkeypatch):
    """A function that moves the clock of the codes by some time steps."""
    moment = [time.time()]
    monkeypatch.setattr(totp.time, "time", lambda: moment[0])

    def later(steps):
        moment[0] += 30 * steps

    return later


@pytest.fixture
def ada(db, cheap_hashes):
    return factories.UserFactory(username="ada", is_staff=True, password=make_password(PASSWORD))


@pytest.fixture
def has_app(ada, now):
    encrypted = tokens.encrypt(SECRET).decode()
    Authenticator.objects.create(user=ada, type="totp", data={"secret": encrypted})
    return ada


def code(step=0, secret=SECRET):
    return totp.format_hotp_value(totp.hotp_value(secret, int(totp.time.time()) // 30 + step))


def with_password(client, going_to="/admin/"):
    return client.post(LOGIN, {"username": "ada", "password": PASSWORD, "next": going_to})


def is_signed_in(client):
    return client.get("/admin/profile/").status_code == 200


def _note(heard, name, **said):
    heard.append(name)


@pytest.fixture
def heard():
    """Signals of second factors, as they were sent."""
    watched = {name: getattr(signals, name) for name in vars(signals) if name.startswith("authenticat")}
    heard = []
    watched["login_failed"] = user_login_failed
    receivers = {name: partial(_note, heard, name) for name in watched}
    for name, signal in watched.items():
        signal.connect(receivers[name], weak=False)
    yield heard
    for name, signal in watched.items():
        signal.disconnect(receivers[name])


def test_password_alone_signs_nobody_in_who_has_a_second_factor(has_app, client, heard):
    response = with_password(client, "/admin/accounts/organisation/")

    assert response["Location"] == SECOND
    assert not is_signed_in(client)
    assert "device" not in client.cookies
    wrong = client.post(SECOND, {"code": "000000"})
    assert "wrong" in wrong.content.decode()
    assert not is_signed_in(client)
    right = client.post(SECOND, {"code": code()})
    assert right["Location"] == "/admin/accounts/organisation/"
    assert is_signed_in(client)
    assert "device" in client.cookies
    assert heard == ["authentication_failed", "login_failed", "authenticator_used"]
    assert BrowserSession.objects.get(user=has_app).has_second_factor


def test_code_works_once_and_an_older_one_not_after_it(has_app, client, now):
    def opens(typed):
        browser = Client()
        with_password(browser)
        browser.post(SECOND, {"code": typed})
        return is_signed_in(browser)

    assert opens(code())
    assert not opens(code())
    assert not opens(code(-1))
    assert opens(code(+1))  # a clock that goes half a minute wrong
    now(2)
    assert opens(code())
    assert not opens(code(-3))


def test_second_step_belongs_to_the_password_and_ends_with_it(has_app, client, monkeypatch):
    assert client.get(SECOND)["Location"].startswith(LOGIN)
    with_password(client)
    has_app.set_password("another one, and long")
    has_app.save()
    assert client.post(SECOND, {"code": code()})["Location"].startswith(LOGIN)
    assert not is_signed_in(client)


def test_wrong_codes_are_refused_before_they_are_tried(has_app, client, monkeypatch):
    for name, most in {"OF_PAIR": 100, "OF_NETWORK": 100, "OF_CODES": 3}.items():
        policy = getattr(sign_in, name)
        monkeypatch.setattr(sign_in, name, Policy(policy.name, most, policy.window_s))
    with_password(client)
    found = [client.post(SECOND, {"code": "000000"}).status_code for _ in range(4)]
    assert found == [200, 200, 200, 429]
    assert client.post(SECOND, {"code": code()}).status_code == 429

    known = Client()  # the browser that its owner uses anyway
    monkeypatch.setattr(sign_in, "_device", lambda request, account: "1")
    with_password(known)
    assert known.post(SECOND, {"code": code()}).status_code == 302


def test_wrong_codes_of_a_confirmation_have_the_limit_of_codes(has_app, client, monkeypatch, heard):
    monkeypatch.setattr(sign_in, "OF_CODES", Policy("sign-in-codes", 2, 900))
    client.force_login(has_app)

    found = [client.post("/admin/confirm/", {"code": "000000"}).status_code for _ in range(3)]

    assert found == [200, 200, 429]
    assert heard == ["authentication_failed", "login_failed"] * 2


def test_set_up_keeps_the_secret_encrypted_and_gives_codes_once(ada, client, now, heard):
    client.force_login(ada)
    page = client.get(OWN).content.decode()
    secret = page.partition('data-testid="totp-secret">')[2].partition("<")[0].replace(" ", "")
    assert "<svg" in page
    assert secret not in json.dumps(dict(client.session.items()))

    assert client.post(OWN, {"code": "000000"}).status_code == 200
    assert client.post(OWN, {"code": code(secret=secret)}).status_code == 302
    shown, again = client.get(OWN).content.decode(), client.get(OWN).content.decode()
    codes = second_factor.recovery_codes(ada)
    assert len(codes) == 10
    assert all(each in shown for each in codes)
    assert not any(each in again for each in codes)
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    assert not any(each in kept for each in codes)
    assert heard == ["authenticator_added"]


def test_recovery_code_works_once_and_new_ones_end_the_old(has_app, client, rf):
    client.force_login(has_app)
    client.post(OWN, {"act": "renew"})
    first, second, *_rest = second_factor.recovery_codes(has_app)

    def opens(typed):
        browser = Client()
        with_password(browser)
        browser.post(SECOND, {"code": typed})
        return is_signed_in(browser)

    assert (opens(first), opens(first)) == (True, False)
    client.post(OWN, {"act": "renew"})
    assert not opens(second)


def member_of(user, **organisation):
    made = factories.OrganisationFactory(**organisation)
    factories.MembershipFactory(user=user, organisation=made, role=Membership.Role.OWNER)
    return made


def test_organisation_that_wants_a_second_factor_gets_it_before_the_session_begins(ada, client, now):
    member_of(ada, is_second_factor_required=True)
    assert with_password(client)["Location"] == SET_UP
    assert not is_signed_in(client)
    page = client.get(SET_UP).content.decode()
    secret = page.partition('data-testid="totp-secret">')[2].partition("<")[0].replace(" ", "")
    assert client.post(SET_UP, {"code": "000000"}).status_code == 200
    assert client.post(SET_UP, {"code": code(secret=secret)})["Location"] == OWN
    assert second_factor.recovery_codes(ada)[0] in client.get(OWN).content.decode()
    client.post(OWN, {"act": "remove"})
    assert second_factor.has_any(ada)  # the last one may not go


def test_deployment_can_want_it_of_everybody(ada, client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    assert with_password(client)["Location"] == SET_UP


def test_second_factor_cannot_be_set_up_anew_with_the_password_alone(has_app, client):
    member_of(has_app, is_second_factor_required=True)
    with_password(client)
    client.cookies.pop("device", None)
    assert client.get(SET_UP)["Location"].startswith(LOGIN)
    assert client.post(SET_UP, {"code": "1"})["Location"].startswith(LOGIN)
    assert "device" not in client.cookies
    assert Authenticator.objects.filter(user=has_app, type="totp").count() == 1


def test_last_factor_stays_when_the_other_one_goes_at_the_same_moment(has_app, rf):
    member_of(has_app, is_second_factor_required=True)
    request = rf.post(OWN)
    request.user = has_app
    Authenticator.objects.create(user=has_app, type="webauthn", data={})
    rows = list(Authenticator.objects.filter(user=has_app))

    removed = [second_factor.remove(request=request, user=has_app, row=row, by=has_app) for row in rows]

    assert removed == [True, False]
    assert second_factor.has_any(has_app)


def secret_on(page):
    return page.content.decode().partition('data-testid="totp-secret">')[2].partition("<")[0]


def test_secret_is_of_one_user_though_the_browser_is_the_same(ada, client):
    bea = factories.UserFactory(username="bea", is_staff=True, password=make_password(PASSWORD))
    organisation = member_of(ada, is_second_factor_required=True)
    factories.MembershipFactory(user=bea, organisation=organisation)
    with_password(client)
    first, again = secret_on(client.get(SET_UP)), secret_on(client.get(SET_UP))

    client.post(LOGIN, {"username": "bea", "password": PASSWORD, "next": "/admin/"})

    assert first == again
    assert secret_on(client.get(SET_UP)) not in {"", first}


def test_requirement_ends_sessions_that_began_without(ada, client):
    organisation = member_of(ada)
    other = factories.MembershipFactory(role=Membership.Role.OWNER).user
    client.force_login(ada)
    theirs = Client()
    theirs.force_login(other)
    organisation.is_second_factor_required = True
    organisation.save()

    assert second_factor.note_requirement(organisation, by=ada) == 1
    assert not is_signed_in(client)
    assert is_signed_in(theirs)
    factories.MembershipFactory(user=other, organisation=organisation)
    assert not is_signed_in(theirs)


def test_owner_turns_the_requirement_on(ada, client):
    organisation = member_of(ada, name="Acme", slug="acme")
    client.force_login(ada)
    form = {"name": "Acme", "slug": "acme", "is_second_factor_required": "on"}
    response = client.post(f"/admin/accounts/organisation/{organisation.pk}/change/", form)
    organisation.refresh_from_db()

    assert response.status_code == 302
    assert organisation.is_second_factor_required
    assert with_password(Client())["Location"] == SET_UP


def test_owner_removes_a_factor_that_was_lost_of_own_people_only(has_app, client):
    organisation = member_of(has_app)
    owner = factories.MembershipFactory(organisation=organisation, role=Membership.Role.OWNER).user
    stranger = factories.MembershipFactory(role=Membership.Role.OWNER).user
    form = {"action": "remove_second_factor", "_selected_action": [str(has_app.pk)]}
    client.force_login(stranger)
    client.post("/admin/accounts/user/", form)
    assert second_factor.has_any(has_app)

    lost = Client()
    lost.force_login(has_app)
    client.force_login(owner)
    client.post("/admin/accounts/user/", form)
    assert not Authenticator.objects.filter(user=has_app).exists()
    assert not is_signed_in(lost)


def test_no_page_of_allauth_is_mounted():
    anybody = Client()
    for address in (
        "accounts/login",
        "accounts/signup",
        "accounts/password/reset",
        "accounts/2fa",
        "accounts/oidc/login",
    ):
        assert anybody.get(f"/{address}/").status_code == 404
