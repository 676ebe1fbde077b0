"""Passkeys in Chromium with a virtual authenticator, and how the pages of sign-in look."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.hashers import make_password
from django.db import connections
from playwright.sync_api import expect, sync_playwright

from accounts.models import BrowserSession
from tests import factories
from tests.browser.browsers import chromium_browser, fresh_page
from tests.browser.test_accessibility import RULES, SCHEMES, wait_for_colours
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

OURS = {"include": [["form"]]}
"""What is checked for accessibility: around it are the theme's own header and menus."""


@pytest.fixture
def ada(live_server):
    """Made before a browser is there: its event loop would forbid to ask the database."""
    user = factories.UserFactory(username="ada", is_staff=True, password=make_password(PASSWORD))
    return factories.MembershipFactory(user=user, role="owner").user


@pytest.fixture
def page(ada):
    with (
        sync_playwright() as playwright,
        chromium_browser(playwright) as browser,
        fresh_page(browser) as page,
    ):
        yield page


def asked(question):
    """Ask the database in a thread without an event loop."""

    def answer():
        try:
            return question()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(answer).result()


def test_passkey_is_added_and_signs_in(live_server, ada, page):
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
    assert asked(lambda: Authenticator.objects.get(user=ada, type="webauthn").last_used_at)
    assert asked(BrowserSession.objects.filter(user=ada, has_second_factor=True).count) == 2

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
    assert asked(BrowserSession.objects.filter(user=ada).count) == 3


def look(page, name) -> None:
    """Check what people with a screen reader meet, and leave pictures where PICTURES_DIR says."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        wait_for_colours(page)
        found = Axe().run(page, context=OURS, options=RULES).response["violations"]
        assert not found, f"{name}, {scheme}: " + "; ".join(v["nodes"][0]["html"] for v in found)
    if directory := os.environ.get("PICTURES_DIR"):
        for width in (1280, 360):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 800})
                page.screenshot(path=Path(directory) / f"{name.replace(' ', '-')}-{width}-{scheme}.png")
        page.set_viewport_size({"width": 1280, "height": 800})
