from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.browsers import chromium_browser, fresh_page
from tests.sounds import encode_wav
from tests.speech import spoken
from voice.audio import pcm

expect.set_options(timeout=60_000)  # ms; a page that is only slow, beside other work, is not wrong

SPOKEN = "I built a small service that reads invoices. It found mistakes that people had missed for years."


@pytest.fixture(scope="session")
def spoken_wav(run_directory) -> Path:
    """Speech for the fake microphone, with a pause at its end; Chromium plays it in a loop."""
    path = run_directory / "microphone.wav"
    path.write_bytes(encode_wav(pcm.s16le_from_samples(spoken(SPOKEN, pause_s=1.0))))
    return path


@pytest.fixture(scope="module")  # no other event loop can run beside Playwright's
def playwright():
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def chromium(playwright, spoken_wav):
    """Chromium with a microphone that plays `SPOKEN`."""
    microphone = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={spoken_wav}")
    with chromium_browser(playwright, options=microphone) as browser:
        yield browser


@pytest.fixture
def page(chromium):
    """A page in a fresh profile. A script error fails the test, and so does what its policy forbids."""
    with fresh_page(chromium, permissions=["microphone"]) as page:
        yield page


@pytest.fixture(scope="module")
def cookies(stack, chromium):
    """Those of a recruiter of the demo's organisation who has signed in."""
    with fresh_page(chromium) as page:
        page.goto(stack.url + "/playground")
        page.fill("[name=username]", stack.demo["recruiter_username"])
        page.fill("[name=password]", stack.demo["recruiter_password"])
        page.click("[type=submit]")
        expect(page).to_have_url(stack.url + "/playground")
        return page.context.cookies()


@pytest.fixture(scope="session")
def speaking_stack(run_directory, piper_voices):
    """The whole system, recognising with PocketSphinx, so that transcripts depend on what was said."""
    from tests.stack import Stack, small

    env = {
        "STT_ENGINES": "pocketsphinx",
        "PIPER_VOICES_DIR": str(piper_voices),
        "KEEP_AUDIO_IN_BROWSER": "true",
        "DRAIN_S": "2",
    }
    with Stack(run_directory / "speaking-stack", env=env, adapt=small) as running:
        running.wait_ready()
        yield running
