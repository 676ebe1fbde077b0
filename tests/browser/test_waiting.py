"""A candidate who arrives when every place is taken sees the waiting room, and is admitted automatically."""

import pytest
from playwright.sync_api import expect

from tests.browser.room import STEP_MS, Room
from tests.browser.test_accessibility import assert_accessible
from tests.full_house import every_place_taken

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_candidate_waits_and_is_let_in(speaking_stack, page):
    page.set_viewport_size({"width": 320, "height": 640})
    room = Room(page)
    url = speaking_stack.invite()
    with every_place_taken(speaking_stack):
        page.goto(url)
        page.get_by_role("checkbox").check()
        page.get_by_role("button").first.click()
        room.wait_for("waiting")
        expect(page.get_by_test_id("place")).to_have_text("1")
        expect(page.get_by_test_id("estimate")).to_have_text("less than a minute")
        expect(page).to_have_title("1 · " + page.locator(".page-name .quiet").text_content())
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert_accessible(page, "waiting")
        page.reload()
        room.wait_for("waiting")
        expect(page.get_by_test_id("place")).to_have_text("1")

    room.wait_for("check")
    expect(page.locator("#announcement")).to_have_text("It is your turn", timeout=STEP_MS)
    assert "·" not in page.title()


def test_interview_under_way_goes_on_when_every_place_is_taken(speaking_stack, page):
    room = Room(page)
    room.to_first_question(speaking_stack.invite())
    room.wait_for_any("ask", "think", "record")
    with every_place_taken(speaking_stack):
        page.reload()
        room.wait_for("resume")
