"""axe-core finds no problem on any page of the candidate, in light and dark mode."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.room import Room

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


SCHEMES = ("light", "dark")
ARE_COLOURS_THERE = "() => document.getAnimations().every(({playState}) => playState !== 'running')"
"""Colours fade in; contrast is measured when they have."""


def assert_accessible(page, where: str) -> None:
    """In light and in dark."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        wait_for_colours(page)
        found = Axe().run(page, options=RULES).response["violations"]
        assert not found, f"{where}, {scheme}: " + "; ".join(
            f"{v['id']}: {v['nodes'][0]['html']}" for v in found
        )


def wait_for_colours(page) -> None:
    """Return once no colour is on its way any more."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function(ARE_COLOURS_THERE)


def test_candidate_pages_have_no_accessibility_violations(speaking_stack, page):
    page.set_viewport_size({"width": 360, "height": 740})
    room = Room(page)
    page.goto(speaking_stack.url + "/i/nobody-has-this-link/")
    assert_accessible(page, "unknown link")
    url = speaking_stack.invite()
    page.goto(url)
    assert_accessible(page, "landing")
    room.consent(url)
    assert_accessible(page, "check, before")
    room.press("start-check")
    assert_accessible(page, "check")
    room.press("continue")
    room.wait_for("practice")
    assert_accessible(page, "practice")
    room.skip_practice()
    assert_accessible(page, "ready")
    room.start()
    for _ in range(3):
        room.begin_answer()
        room.speak(1)
        assert_accessible(page, "record")
        room.finish_answer()
    room.wait_for("finish")
    assert_accessible(page, "finish")
    room.press("heard")
    page.wait_for_url("**/answers/")
    assert_accessible(page, "what was heard")
