import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.sounds import encode_wav
from tests.speech import spoken
from voice.audio import pcm

SPOKEN = "I built a small service that reads invoices. It found mistakes that people had missed for years."


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: `apt-get install chromium` lets the browser tests run")
    return path


@pytest.fixture(scope="session")
def spoken_wav(run_directory) -> Path:
    """Speech for the fake microphone, with a pause at its end; Chromium plays it in a loop."""
    path = run_directory / "microphone.wav"
    path.write_bytes(encode_wav(pcm.s16le_from_samples(spoken(SPOKEN, pause_s=1.0))))
    return path


@pytest.fixture(scope="module")  # no other event loop can run beside Playwright's
def chromium(chromium_path, spoken_wav):
    """Chromium with a microphone that plays `SPOKEN`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={spoken_wav}",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A page in a fresh profile. A script error fails the test, and so does what its policy forbids."""
    context = chromium.new_context(permissions=["microphone"])
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Security Policy" in said.text else None)
    yield page
    context.close()
    assert errors == []


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
