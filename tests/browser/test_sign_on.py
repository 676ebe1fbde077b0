"""Passkeys in Chromium with a virtual authenticator, and how the pages of sign-in look."""

from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from playwright.sync_api import expect

from accounts.models import BrowserSession
from tests import factories
from tests.browser.browsers import fresh_page
from tests.browser.test_accessibility import assert_accessible
from tests.factories import PASSWORD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_redis"),
]
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def page(chromium):
    with fresh_page(chromium) as page:
        yield page


def test_passkey_is_added_and_signs_in(live_server, page):
    ada = factories.MembershipFactory(
        user=factories.UserFactory(username="ada", is_staff=True, password=make_password(PASSWORD)),
        role="owner",
    ).user
    site = live_server.url.replace("127.0.0.1", "localhost")  # an address can't have passkeys
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    device = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})["authenticatorId"]

    page.goto(f"{site}/admin/login/?next=/admin/profile/passkeys/")
    expect(page.get_by_test_id("use-passkey")).to_be_visible()
    look(page, "sign-in")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", PASSWORD)
    page.click("#login-form [type=submit]")
    page.fill("[name=name]", "My laptop")
    page.get_by_test_id("add-passkey").click()
    expect(page.get_by_test_id("recovery-codes").locator("li")).to_have_count(10)
    look(page, "second factor")
    page.goto(f"{site}/admin/profile/passkeys/")
    expect(page.get_by_test_id("passkeys")).to_contain_text("My laptop")
    look(page, "passkeys")
    page.goto(f"{site}/admin/profile/sessions/")
    look(page, "sessions")

    page.context.clear_cookies()
    page.goto(f"{site}/admin/login/?next=/admin/profile/")
    page.get_by_test_id("use-passkey").click()
    expect(page).to_have_url(f"{site}/admin/profile/")
    assert Authenticator.objects.get(user=ada, type="webauthn").last_used_at
    assert BrowserSession.objects.filter(user=ada, has_second_factor=True).count() == 2

    page.context.clear_cookies()  # the password asks for the passkey as the second step
    page.goto(f"{site}/admin/login/?next=/admin/profile/sessions/")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", PASSWORD)
    page.click("#login-form [type=submit]")
    expect(page).to_have_url(f"{site}/admin/login/second/")
    look(page, "second step")
    page.get_by_test_id("use-passkey").click()
    expect(page).to_have_url(f"{site}/admin/profile/sessions/")

    page.context.clear_cookies()
    page.goto(f"{site}/admin/login/")
    devtools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_test_id("use-passkey").click()
    expect(page.locator("[data-passkey-problem]")).not_to_be_empty()
    assert BrowserSession.objects.filter(user=ada).count() == 3


def look(page, name) -> None:
    """Check what people with a screen reader meet, and leave pictures where PICTURES_DIR says."""
    import os

    assert_accessible(page, name)
    if directory := os.environ.get("PICTURES_DIR"):
        for width in (1280, 360):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 800})
                page.screenshot(path=Path(directory) / f"{name.replace(' ', '-')}-{width}-{scheme}.png")
        page.set_viewport_size({"width": 1280, "height": 800})
