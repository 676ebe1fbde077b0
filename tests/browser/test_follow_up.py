"""A candidate hears a follow-up question of the language model, and answers it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.room import STEP_MS, Room
from tests.browser.test_accessibility import assert_accessible
from tests.follow_ups import link_with_follow_up

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_candidate_hears_a_follow_up_and_goes_on(stack, page, language_model_server):
    page.set_viewport_size({"width": 320, "height": 640})
    room = Room(page)
    with link_with_follow_up(stack) as link:
        room.to_first_question(link)
        room.begin_answer()
        room.speak(3)
        with page.expect_response(lambda response: "/speech/" in response.url, timeout=STEP_MS) as spoken:
            room.press("done")
            room.wait_for_text("position", "Question 1 of 3, one more thing")

    assert spoken.value.ok
    expect(page.locator("#stage [data-part=heading]")).to_have_text(
        re.compile("What was the hardest part of")
    )
    assert page.locator("#progress span").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert_accessible(page, "follow-up")

    room.begin_answer()
    room.speak(2)
    room.finish_answer()
    room.wait_for_text("position", "Question 2 of 3")
    assert language_model_server.complaints == []
