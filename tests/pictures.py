"""The pictures of docs/recruiter.md and docs/reviewer.md, as PNG files in docs/images:

    make pictures     # takes some minutes: the candidates speak first

A demo of its own, in a temporary directory and on a free port, shows invented candidates only.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from interview_platform.demo.programs import ROOT
from tests.browser.browsers import chromium_browser, chromium_path, fresh_page
from tests.faults.waiting import wait_for

IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT, LOW = 1280, 860, 560
COLOURS = 256
"""Enough for pages, and a third of the bytes."""
CANDIDATES = 13
"""One more than the first four of each interview: `LAST` is the one with an accommodation."""
INTERVIEW = "Office assistant, short interview"
OF_BANK = "Customer support, first interview"
READY_WITHIN_S, FILLED_WITHIN_S = 300.0, 900.0
LAST = "Eli Demo"
SPREADSHEET = """name,e-mail,last day
Ana Demo,ana@example.com,
Ben Demo,ben@example.com,
Cem Demo,cem@example
Ben Demo,ben@example.com,
Dora Demo,dora@example.com,
"""


@dataclass
class Demo:
    """A demo that is filled. candidates: those of `INTERVIEW`, by their names."""

    facts: dict[str, Any]
    interviews: dict[str, str]
    candidates: dict[str, dict[str, Any]]

    def admin(self, address: str) -> str:
        return f"{self.facts['admin_url']}{address}"

    def interview(self, title: str = INTERVIEW) -> str:
        return self.admin(f"interviews/interview/{self.interviews[title]}/change/")

    def review(self, name: str) -> str:
        return self.admin(f"interviews/session/{self.candidates[name]['session_id']}/change/")


def interview(page: Page, demo: Demo) -> None:
    page.goto(demo.interview())
    page.locator("#questions-group").evaluate("part => part.scrollIntoView()")


def rubric(page: Page, demo: Demo) -> None:
    page.goto(demo.interview())
    page.get_by_role("link", name="Rubric").click()


def bank(page: Page, demo: Demo) -> None:
    page.goto(demo.interview(OF_BANK))
    while (keep := page.locator("[data-testid=keep]:visible")).count():
        left = keep.count()
        keep.first.click()
        expect(keep).to_have_count(left - 1)
    page.goto(demo.admin(f"interviews/bankquestion/to/{demo.interviews[INTERVIEW]}/"))
    page.locator("#results input[type=checkbox]").first.check()


def invite_many(page: Page, demo: Demo) -> None:
    page.goto(demo.admin(f"interviews/invitationbatch/to/{demo.interviews[INTERVIEW]}/"))
    file = {"name": "candidates.csv", "mimeType": "text/csv", "buffer": SPREADSHEET.encode()}
    page.set_input_files("input[type=file]", file)
    page.click("[data-testid=check]")
    expect(page.locator("#good")).to_be_visible()


def invitations(page: Page, demo: Demo) -> None:
    page.goto(demo.admin("interviews/invitation/"))


def accommodations(page: Page, demo: Demo) -> None:
    page.goto(demo.admin(f"interviews/invitation/{demo.candidates[LAST]['id']}/accommodations/"))


def analytics(page: Page, demo: Demo) -> None:
    page.goto(demo.admin("analytics/"))


def queue(page: Page, demo: Demo) -> None:
    page.goto(demo.admin("interviews/session/queue/"))


def review(page: Page, demo: Demo) -> None:
    page.goto(demo.review("Dana Demo"))
    pause_at(page, answer=1, word=3)


def correction(page: Page, demo: Demo) -> None:
    page.goto(demo.review("Ada Demo"))
    pause_at(page, answer=2, word=1)  # she says "Mostly a spreadsheet"
    page.keyboard.press("e")
    page.fill("#correct-text", "a")


def pause_at(page: Page, *, answer: int, word: int) -> None:
    page.locator(f"[data-answer='{answer}'] .ip-word").nth(word).click()
    page.keyboard.press("Space")


def score(page: Page, demo: Demo) -> None:
    page.goto(demo.review("Dana Demo"))
    first, second = page.locator("[data-criterion]").nth(0), page.locator("[data-criterion]").nth(1)
    with page.expect_response("**/draft/"):
        first.locator("input").nth(2).check()
        first.locator("textarea").fill("Says which work came first, and why.")
        second.locator("input").nth(1).check()
    expect(page.locator("[data-draft-state]")).not_to_be_empty()
    page.locator("#evaluation").evaluate("part => part.scrollIntoView()")


def decision(page: Page, demo: Demo) -> None:
    page.goto(demo.review("Ada Demo"))
    page.locator("#others-title").evaluate("part => part.scrollIntoView()")


def compare(page: Page, demo: Demo) -> None:
    chosen = [demo.candidates[name]["session_id"] for name in ("Ada Demo", "Bela Demo", "Dana Demo")]
    page.goto(demo.admin("interviews/session/compare/?" + "&".join(f"session={key}" for key in chosen)))


def search(page: Page, demo: Demo) -> None:
    page.goto(demo.admin("transcript-search/?q=invoice"))
    expect(page.locator(".ip-hits li").first).to_be_visible()


Show = Callable[[Page, Demo], None]
PICTURES: dict[str, tuple[Show, ...]] = {
    "recruiter": (interview, rubric, bank, invite_many, invitations, accommodations, analytics),
    "reviewer": (queue, review, correction, score, decision, compare, search),
}
"""By who sees the pages: each function opens one, and names its picture."""
SHORT_PAGES = {bank, invite_many, queue, search}


def main() -> int:
    """Make all pictures, or those whose names are given; return the exit status."""
    try:
        chromium_path()
    except pytest.skip.Exception as missing:
        print(f"No pictures: {missing.msg}")
        return 0
    wanted = set(sys.argv[1:])
    with running_demo() as demo, sync_playwright() as playwright, chromium_browser(playwright) as browser:
        for who, shown in PICTURES.items():
            with fresh_page(browser, color_scheme="light", locale="en-GB") as page:
                sign_in(page, demo, who)
                for show in shown:
                    if not wanted or name_of(who, show) in wanted:
                        page.set_viewport_size(size_of(show))
                        show(page, demo)
                        take(page, IMAGES / f"{name_of(who, show)}.png")
    return 0


def name_of(who: str, show: Show) -> str:
    """Return the name of a picture: "reviewer-queue"."""
    return f"{who}-{show.__name__.replace('_', '-')}"


def size_of(show: Show) -> ViewportSize:
    return {"width": WIDTH, "height": LOW if show in SHORT_PAGES else HEIGHT}


def sign_in(page: Page, demo: Demo, who: str) -> None:
    page.goto(demo.admin("login/"))
    page.fill("[name=username]", demo.facts[f"{who}_username"])
    page.fill("[name=password]", demo.facts[f"{who}_password"])
    page.click("[type=submit]")
    expect(page).to_have_url(demo.facts["admin_url"])


def take(page: Page, file: Path) -> None:
    """Write what is seen of the page."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1000} kB", flush=True)


@contextlib.contextmanager
def running_demo() -> Iterator[Demo]:
    """Yield a demo whose candidates have spoken, and stop it."""
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    with tempfile.TemporaryDirectory(prefix="pictures-") as directory:
        var = Path(directory)
        var.chmod(0o711)  # PostgreSQL runs as another user where this one is root
        chosen = {
            "PORT": "0",
            "VAR_DIR": directory,
            "DEMO_CANDIDATES": str(CANDIDATES),
            "LOG_LEVEL": "WARNING",
        }
        models = {"MODELS_DIR": str(ROOT / "var" / "models")}  # kept, so that a second run fetches none
        command = [sys.executable, "-m", "interview_platform.demo"]
        env = models | inherited | chosen
        with subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True) as process:
            try:
                summary = var / "demo.json"
                wait_for(
                    lambda: summary.exists() or process.poll() is not None,
                    "the demo",
                    within_s=READY_WITHIN_S,
                )
                yield filled(json.loads(summary.read_text()))
            finally:
                process.send_signal(signal.SIGINT)


def filled(facts: Mapping[str, Any]) -> Demo:
    """Return the demo once its candidates have spoken, and what they said is written down."""

    def ask(address: str) -> list[dict[str, Any]]:
        request = urllib.request.Request(f"{facts['api_url']}/{address}?limit=100")
        request.add_header("Authorization", f"Bearer {facts['api_key']}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["items"]

    def candidates() -> dict[str, dict[str, Any]]:
        found = [each for each in ask("invitations") if each["interview_id"] == interviews[INTERVIEW]]
        return {each["candidate_name"]: each for each in found}

    def is_filled() -> bool:
        sessions = [each["session_id"] for each in candidates().values() if each["session_id"]]
        answers = [answer for key in sessions for answer in ask(f"sessions/{key}/answers")]
        given = [answer["transcript"] for answer in answers if answer["status"] == "accepted"]
        is_written = all(each and each["status"] == "done" for each in given)
        return LAST in candidates() and is_written

    wait_for(lambda: INTERVIEW in {each["title"] for each in ask("interviews")}, INTERVIEW)
    interviews = {each["title"]: each["id"] for each in ask("interviews")}
    wait_for(is_filled, "the candidates", within_s=FILLED_WITHIN_S, every_s=2)
    return Demo(dict(facts), interviews, candidates())


if __name__ == "__main__":
    sys.exit(main())
