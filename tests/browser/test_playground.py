"""The playground in Chromium, against the whole system: synthesis is played, speech is transcribed."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.test_accessibility import RULES, SCHEMES, wait_for_colours
from tests.conftest import STANDIN_SENTENCE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PATIENCE_MS = 120_000
FIRST_WORD = STANDIN_SENTENCE.split()[0]
COUNT_SAMPLES = """
window.heard = {seconds: 0, peak: 0, gaps: 0, until: 0};
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (at) {
  const {buffer} = this;
  heard.seconds += buffer.duration;
  heard.rate = buffer.sampleRate;
  heard.peak = Math.max(heard.peak, ...buffer.getChannelData(0));
  heard.gaps += heard.until && at > heard.until + 0.001;
  heard.until = at + buffer.duration;
  start.call(this, at);
};
"""

RECORD_FOR_MS = 4000
RECORD = """
async ([format, lengthMs]) => {
  const messages = [];
  const stream = await navigator.mediaDevices.getUserMedia({audio: true});
  const recorder = new MediaRecorder(stream, {mimeType: format});
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/asr/");
  const opened = new Promise((resolve) => socket.addEventListener("open", resolve));
  const over = new Promise((resolve) => {
    socket.addEventListener("close", resolve);
    socket.addEventListener("message", ({data}) => {
      messages.push(JSON.parse(data));
      if (messages.at(-1).type === "done") resolve();
    });
  });
  await opened;
  socket.send(JSON.stringify({type: "config", language: "en"}));
  recorder.addEventListener("dataavailable", ({data}) => data.size && socket.send(data));
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.start(100);
  setTimeout(() => recorder.stop(), lengthMs);
  await stopped;
  socket.send(JSON.stringify({type: "end"}));
  await over;
  return messages;
}
"""


@pytest.fixture(scope="module")
def facts(stack):
    return stack.demo


@pytest.fixture
def playground(stack, cookies, page):
    """The page, with a member of staff signed in."""
    page.add_init_script(COUNT_SAMPLES)
    page.context.add_cookies(cookies)
    page.goto(stack.url + "/playground")
    expect(page).to_have_url(stack.url + "/playground")
    expect(page.get_by_test_id("voice")).to_have_value(re.compile("standin"))
    return page


def figure(page, panel, name):
    return page.locator(f"#{panel} [data-figure={name}]")


def number(page, panel, name) -> float:
    text = figure(page, panel, name).inner_text()
    value = float(re.search(r"[\d.]+", text).group())
    return value / 1000 if "ms" in text else value


def wait_until_idle(page, panel):
    expect(page.locator(f"#{panel}")).to_have_attribute("data-state", "idle", timeout=PATIENCE_MS)


def speak(page, text, file_format="pcm"):
    page.get_by_test_id("format").select_option(file_format)
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_test_id("speak").click()


def assert_accessible(page, where: str) -> None:
    for width in (360, 1280):
        for scheme in SCHEMES:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            wait_for_colours(page)
            found = Axe().run(page, options=RULES).response["violations"]
            said = "; ".join(f"{v['id']}: {v['nodes'][0]['html']}" for v in found)
            assert not found, f"{where}, {width} px, {scheme}: {said}"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{where}, {width} px"


def test_playground_asks_anonymous_visitors_to_sign_in(stack, page):
    page.goto(stack.url + "/playground")
    expect(page).to_have_url(stack.url + "/admin/login/?next=/playground")


def test_typed_text_is_heard_as_it_is_spoken(playground):
    speak(playground, "Good morning. This is the second sentence, and it is longer. This is the last.")
    wait_until_idle(playground, "speak")
    expect(playground.get_by_test_id("speak-state")).to_have_text("Done.")
    heard = playground.evaluate("heard")
    assert heard["rate"] == 24_000
    assert heard["seconds"] > 1
    assert heard["peak"] > 0.05
    assert number(playground, "speak", "duration") == pytest.approx(heard["seconds"], abs=0.05)
    assert 0 < number(playground, "speak", "first") <= number(playground, "speak", "total")
    assert number(playground, "speak", "factor") > 0
    expect(figure(playground, "speak", "cached")).to_have_text("no")
    expect(figure(playground, "speak", "engine")).to_have_text("piper")
    expect(figure(playground, "speak", "voice")).to_have_text(re.compile("standin"))


def test_what_was_spoken_before_comes_from_the_cache(playground):
    for cached in ("no", "yes"):
        speak(playground, "These words are spoken twice.")
        wait_until_idle(playground, "speak")
        expect(figure(playground, "speak", "cached")).to_have_text(cached)


def test_stop_ends_the_speech_and_gives_the_focus_back(playground):
    speak(playground, "This is said for a long while. " * 20)
    expect(figure(playground, "speak", "first")).to_have_text(re.compile(r"\d"), timeout=PATIENCE_MS)
    expect(playground.get_by_test_id("stop-speaking")).to_be_focused()
    playground.keyboard.press("Enter")
    wait_until_idle(playground, "speak")
    expect(playground.get_by_test_id("speak")).to_be_focused()


@pytest.mark.parametrize("file_format", ["mp3", "opus", "wav", "flac"])
def test_a_file_of_speech_is_played_and_can_be_downloaded(playground, file_format):
    speak(playground, f"This becomes a file of {file_format}.", file_format)
    link = playground.get_by_test_id("download-speech")
    expect(link).to_have_text(re.compile(rf"speech\.{file_format}"), timeout=PATIENCE_MS)
    wait_until_idle(playground, "speak")
    with playground.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == f"speech.{file_format}"
    assert download.value.path().stat().st_size > 1000
    assert number(playground, "speak", "first") > 0
    assert number(playground, "speak", "duration") > 0.5
    expect(playground.locator("#speak [data-part=trouble]")).to_be_empty()


def test_voices_are_found_by_language_and_refused_text_is_explained(playground):
    playground.get_by_test_id("find").fill("russian")
    expect(playground.locator("#speak [data-part=voices]")).to_have_text(re.compile(r"^\d+ voices?$"))
    expect(playground.get_by_test_id("voice")).to_have_value(re.compile("espeak:ru"))
    expect(playground.get_by_label("Text", exact=True)).to_have_value(re.compile("Здравствуйте"))
    speak(playground, "Good morning.")
    expect(playground.get_by_role("alert")).to_contain_text("text: ", timeout=PATIENCE_MS)
    wait_until_idle(playground, "speak")


def test_spoken_words_are_read_live(playground):
    playground.get_by_test_id("listen").click()
    expect(playground.locator("#hear")).to_have_attribute("data-speech", "on", timeout=PATIENCE_MS)
    expect(playground.get_by_test_id("partial")).not_to_be_empty(timeout=PATIENCE_MS)
    word = playground.get_by_test_id("finals").locator(".word").first
    expect(word).to_have_text(re.compile(FIRST_WORD), timeout=PATIENCE_MS)
    playground.get_by_test_id("stop-listening").click()
    wait_until_idle(playground, "hear")
    expect(playground.get_by_test_id("hear-state")).to_have_text("Done.")
    for name in ("first", "final", "end", "duration"):
        assert number(playground, "hear", name) > 0
    expect(figure(playground, "hear", "confidence")).to_have_text(re.compile(r"\d+%"))


def test_a_file_is_read_and_its_words_can_be_moved_through(playground, spoken_wav):
    playground.get_by_test_id("choose-file").set_input_files(spoken_wav)
    wait_until_idle(playground, "hear")
    words = playground.get_by_test_id("finals").locator(".word")
    expect(words.first).to_have_text(re.compile(FIRST_WORD))
    words.first.focus()
    playground.keyboard.press("ArrowRight")
    expect(words.nth(1)).to_be_focused()
    expect(playground.get_by_test_id("word")).to_have_text(
        re.compile(r"“.+”: [\d.]+\ss to [\d.]+\ss, \d+% sure")
    )
    assert number(playground, "hear", "duration") > 3
    assert number(playground, "hear", "factor") > 0
    for extension, time in (("srt", r"\d\d:\d\d:\d\d,\d{3} --> "), ("vtt", r"\d\d:\d\d:\d\d\.\d{3} --> ")):
        with playground.expect_download() as download:
            playground.get_by_test_id(extension).click()
        content = download.value.path().read_text()
        assert re.search(time, content)
        assert FIRST_WORD in content


@pytest.mark.parametrize("kind", ["audio/webm;codecs=opus", "audio/mp4;codecs=opus"])
def test_what_mediarecorder_makes_is_recognised_as_it_comes(playground, kind):
    assert playground.evaluate("(kind) => MediaRecorder.isTypeSupported(kind)", kind), kind
    messages = playground.evaluate(RECORD, [kind, RECORD_FOR_MS])
    finals = [message["text"] for message in messages if message["type"] == "final"]
    assert any(FIRST_WORD in text for text in finals), messages
    assert not [message for message in messages if message["type"] == "error"]
    assert messages[-1]["type"] == "done"
    assert messages[-1]["duration"] == pytest.approx(RECORD_FOR_MS / 1000, abs=1.5)


def test_a_file_that_is_no_audio_is_refused_in_words(playground):
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not audio at all"}
    playground.get_by_test_id("choose-file").set_input_files(file)
    expect(playground.locator("#hear [data-part=trouble]")).to_contain_text("audio", timeout=PATIENCE_MS)
    wait_until_idle(playground, "hear")


def test_a_microphone_that_is_not_allowed_is_explained(playground):
    playground.evaluate(
        """() => {
          const refuse = () => Promise.reject(new DOMException("", "NotAllowedError"));
          navigator.mediaDevices.getUserMedia = refuse;
        }"""
    )
    playground.get_by_test_id("listen").click()
    expect(playground.locator("#hear [data-part=trouble]")).to_contain_text("may not use your microphone")
    wait_until_idle(playground, "hear")


def test_playground_has_no_accessibility_violations(playground, spoken_wav):
    assert_accessible(playground, "at first")
    playground.get_by_test_id("choose-file").set_input_files(spoken_wav)
    wait_until_idle(playground, "hear")
    speak(playground, "A file for the ears.", "mp3")
    expect(playground.get_by_test_id("download-speech")).not_to_be_empty(timeout=PATIENCE_MS)
    wait_until_idle(playground, "speak")
    assert_accessible(playground, "with speech and words")
    playground.get_by_test_id("find").fill("russian")
    speak(playground, "Good morning.")
    expect(playground.get_by_role("alert").first).not_to_be_empty(timeout=PATIENCE_MS)
    assert_accessible(playground, "with an error")
