"""The review page in Chromium: heard, read, linked to and corrected, by mouse and by keys."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.reviewed import LONG_S
from tests.browser.test_accessibility import RULES, SCHEMES, wait_for_colours

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

FOCUSED = "() => document.activeElement.textContent"
COLLECT_TIMES = """() => {
  window.times = [];
  const shown = document.querySelector("[data-time]");
  new MutationObserver(() => times.push(shown.textContent)).observe(shown, { childList: true });
}"""


@pytest.fixture(scope="module")
def sessions(stack):
    """The address of each candidate's page, by name."""
    assert stack.demo, "the organisation is there"
    code = "from tests.browser import reviewed; reviewed.make()"
    made = json.loads(stack.manage("shell", "-v0", "-c", code).splitlines()[-1])
    return {name: f"{stack.url}/admin/interviews/session/{key}/change/" for name, key in made.items()}


@pytest.fixture
def review(page, cookies, sessions):
    """A function that opens the page of a candidate."""
    page.context.add_cookies(cookies)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    def open_page(name="ada", moment=""):
        page.goto(sessions[name] + moment)
        expect(page.locator("[data-candidate]")).to_have_text(name.capitalize())
        return page

    return open_page


def time_of(page) -> float:
    minutes, seconds = page.locator("[data-time]").inner_text().split(":")
    return 60 * int(minutes) + int(seconds)


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def word(page, text: str, answer: int = 1):
    return page.locator(f"[data-answer='{answer}'] .ip-word").filter(has_text=re.compile(f"^{text}$"))


def lit(page):
    return page.locator(".ip-current")


def test_space_plays_and_a_pause_puts_the_cursor_on_the_word_that_was_heard(review):
    page = review()
    press(page, "Space")
    expect(lit(page)).to_have_count(1)
    press(page, "Space")

    expect(page.locator("[data-do=toggle]")).to_have_text("Play")
    assert page.evaluate(FOCUSED) == lit(page).inner_text()


def test_arrows_go_five_seconds_and_j_and_k_from_answer_to_answer(review):
    page = review()
    press(page, "ArrowRight")
    assert time_of(page) == 5
    press(page, "ArrowLeft")
    assert time_of(page) == 0
    press(page, "j")
    assert time_of(page) == 6
    press(page, "ArrowDown")
    expect(page.locator("[data-answer='3']")).to_be_focused()
    press(page, "k", "ArrowUp")
    assert time_of(page) == 0


def test_word_keys_move_the_cursor_and_the_player(review):
    page = review()
    press(page, ".", ".", ".", ",")
    expect(word(page, "built")).to_be_focused()
    expect(lit(page)).to_have_text("built")


def test_speed_and_skipping_stay_for_the_next_page(review):
    page = review()
    press(page, "]", "]", "s")
    page = review()
    expect(page.locator("[data-speed]")).to_have_text("1.5×")
    expect(page.locator("[data-do=skip]")).to_have_attribute("aria-pressed", "true")


def test_ctrl_g_goes_to_a_time(review):
    page = review()
    press(page, "Control+g")
    page.keyboard.type("0:09")
    press(page, "Enter")
    assert time_of(page) == 9
    press(page, "Control+g")
    page.keyboard.type("soon")
    press(page, "Enter", "Escape")
    assert time_of(page) == 9


def test_click_on_a_word_plays_from_there_and_goes_on_to_the_next_answer(review):
    page = review()
    word(page, "mistakes").click()
    expect(page.locator("[data-answer='2']")).to_have_class(re.compile("ip-heard"), timeout=60_000)


def test_silence_before_the_first_word_is_skipped(review):
    page = review("cleo")
    press(page, "s", "Space")
    expect(lit(page)).to_have_count(1, timeout=1000 * LONG_S / 2)


def test_silence_in_an_unreliable_transcript_is_heard(review):
    page = review("ada", "?answer=2")
    expect(page.get_by_text("Unreliable transcript: listen.")).to_be_visible()
    page.evaluate(COLLECT_TIMES)
    press(page, "s", "Space")
    expect(page.locator("[data-answer='2'] .ip-current")).to_have_count(1, timeout=60_000)
    assert {"0:07", "0:08"} & set(page.evaluate("window.times")), "a word may be missing in the pause"


def test_link_to_a_second_leads_back_to_it(review):
    page = review("ada", "?answer=1&t=2.9")
    expect(lit(page)).to_have_text("in")
    expect(word(page, "in")).to_be_focused()
    press(page, "l")
    expect(page.locator("[data-said]")).to_have_text("Link copied.")
    assert page.evaluate("navigator.clipboard.readText()").endswith("/change/?answer=1&t=2.9")


def test_words_are_corrected_and_restored(review):
    page = review("cleo", f"?answer=1&t={LONG_S + 2.9}")
    press(page, "e")
    expect(page.get_by_label("What was said")).to_have_value("in")
    press(page, "Escape")
    page.evaluate("""() => {
      const words = document.querySelectorAll("[data-first='7'], [data-first='8']");
      getSelection().setBaseAndExtent(words[0].firstChild, 0, words[1].firstChild, 3);
    }""")
    page.get_by_role("button", name="Correct the word").click()
    expect(page.get_by_label("What was said")).to_have_value("in voices")
    page.keyboard.type("invoices")
    press(page, "Enter")

    expect(word(page, "invoices")).to_be_focused()
    review("cleo")
    expect(word(page, "invoices")).to_have_attribute("title", "Recognised: in voices")
    page.get_by_text("As recognised, and 1 correction").click()
    expect(page.locator(".ip-original")).to_contain_text("reads in voices and")
    page.get_by_role("button", name="Undo").click()
    expect(word(page, "voices")).to_be_visible()


def test_answer_is_transcribed_again_compared_and_chosen(review):
    """The recording is a tone, in which the other model hears few words or none."""
    page = review()
    page.locator("[data-answer='1']").get_by_role("link", name="Versions").click()
    model = page.get_by_label("Model").locator("option").filter(has_text="pocketsphinx")
    page.get_by_label("Model").select_option(model.get_attribute("value"))
    page.get_by_text("Use it as soon as it is there").click()
    page.get_by_test_id("again").click()

    expect(page.get_by_test_id("use-2")).to_be_visible(timeout=60_000)
    expect(page.locator(".ip-compared del").first).to_contain_text("I built a small service")
    page.get_by_test_id("use-2").click()
    expect(page.get_by_text("Version 2 is used now.")).to_be_visible()
    page.get_by_role("link", name="Back to the answers").click()
    expect(page.locator("[data-answer='1']")).to_have_attribute("data-version", "2")

    page.go_back()
    page.get_by_test_id("use-1").click()
    expect(page.get_by_text("Version 1 is used now.")).to_be_visible()
    expect(word(review(), "invoices")).to_have_count(0)
    expect(word(page, "voices")).to_be_visible()


def test_next_candidate_comes_without_a_reload_and_back_leads_back(review, sessions):
    page = review()
    page.evaluate("window.isSame = true")
    press(page, "n")
    expect(page.locator("[data-candidate]")).to_have_text("Bob")
    expect(page).to_have_title(re.compile("^Bob"))
    assert "Ada" not in page.locator("body").inner_text()
    press(page, "n")
    expect(page).to_have_url(sessions["cleo"])
    press(page, "n")
    expect(page.locator("[data-said]")).to_have_text("This is the last candidate.")
    page.go_back()
    expect(page.locator("[data-candidate]")).to_have_text("Bob")
    press(page, "p")
    expect(page.locator("[data-candidate]")).to_have_text("Ada")
    press(page, "Space")
    expect(lit(page)).to_have_count(1)
    assert page.evaluate("window.isSame")


def test_keys_are_listed_and_can_be_turned_off(review):
    page = review()
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.get_by_label("Keys without Ctrl work").uncheck()
    press(page, "Escape", "ArrowRight")
    assert time_of(page) == 0


@pytest.mark.parametrize("name", ["ada", "bob"])
def test_page_has_no_accessibility_violations(review, name):
    page = review(name)
    if name == "ada":
        press(page, "ArrowRight", "?")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        wait_for_colours(page)
        found = Axe().run(page, context={"include": [[".ip-review"], [".ip-dialog[open]"]]}, options=RULES)
        assert not found.response["violations"], found.generate_report()
        press(page, "Escape")
