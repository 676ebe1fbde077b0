"""The three browser engines, each with a microphone that hears what a test plays."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.browser.machine import display, sound_system
from tests.browser.webkit import webkit_page

FIREFOX_PREFERENCES = {
    "media.navigator.permission.disabled": True,  # no question whether the page may use the microphone
    "media.autoplay.default": 0,
}
ENGINES = (
    "chromium",
    pytest.param("firefox", marks=pytest.mark.proof),
    pytest.param("webkit", marks=pytest.mark.proof),
)
EVERY_ENGINE = ("chromium", "firefox", "webkit")
CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


def chromium_path() -> str:
    """The path of Chromium; without it the test is skipped by name."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine: `apt-get install chromium` lets the browser tests run")


@contextlib.contextmanager
def chromium_browser(
    playwright, *, options: Sequence[str] = (), env: dict[str, str] | None = None
) -> Iterator:
    """Debian's Chromium."""
    environment, arguments = os.environ | (env or {}), [*CHROMIUM_OPTIONS, *options]
    path = chromium_path()
    with playwright.chromium.launch(executable_path=path, args=arguments, env=environment) as browser:
        yield browser


@contextlib.contextmanager
def firefox_browser(playwright, *, env: dict[str, str], preferences: dict | None = None) -> Iterator:
    """Debian's Firefox as it is, driven by Playwright."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        pytest.skip("no Firefox on this machine: `apt-get install firefox-esr` lets this test run")
    with playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=path,
        firefox_user_prefs=FIREFOX_PREFERENCES | (preferences or {}),
        env=os.environ | env,
    ) as browser:
        yield browser


@contextlib.contextmanager
def open_page(request: pytest.FixtureRequest, directory: Path, wav: Path) -> Iterator:
    """A page of the engine `request.param`, whose microphone hears `wav` again and again."""
    if request.param == "chromium":  # has such a microphone of its own
        with fresh_page(request.getfixturevalue("chromium"), permissions=["microphone"]) as page:
            yield page
        return
    with open_page_on_sound_system(request, directory) as (page, sound), sound.played(wav):
        yield page


@contextlib.contextmanager
def open_page_on_sound_system(request: pytest.FixtureRequest, directory: Path) -> Iterator:
    """A page of the engine `request.param` whose microphone hears what is played, and the sound system."""
    with sound_system(directory) as sound:
        if request.param == "webkit":
            with display(directory) as screen, webkit_page(directory, env=sound.env | screen) as page:
                yield page, sound
            return
        open_browser = {"firefox": firefox_browser, "chromium": chromium_browser}[request.param]
        options = {"permissions": ["microphone"]} if request.param == "chromium" else {}
        with open_browser(request.getfixturevalue("playwright"), env=sound.env) as browser:
            with fresh_page(browser, **options) as page:
                yield page, sound


@contextlib.contextmanager
def open_page_without_sound_output(request: pytest.FixtureRequest, directory: Path, wav: Path) -> Iterator:
    """The same on a machine without a loudspeaker, in Firefox; the others start their sound all the same."""
    if request.param != "firefox":
        with open_page(request, directory, wav) as page:
            yield page
        return
    env = {"PULSE_SERVER": f"unix:{directory}/none"}
    preferences = {"media.navigator.streams.fake": True}
    playwright = request.getfixturevalue("playwright")
    with (
        firefox_browser(playwright, env=env, preferences=preferences) as browser,
        fresh_page(browser) as page,
    ):
        yield page


@contextlib.contextmanager
def fresh_page(browser, **options) -> Iterator:
    """A page in a fresh profile. A script error fails the test, and so does what its policy forbids."""
    errors: list[str] = []
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Security Policy" in said.text else None)
        yield page
    assert not errors, "\n".join(errors)
