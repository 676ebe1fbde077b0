"""A candidate with written answers, extra time and larger text, on a small page and without a microphone."""

import httpx
import pytest

from tests.browser.browsers import chromium_browser, fresh_page
from tests.browser.room import Room
from tests.browser.test_accessibility import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SMALL = {"width": 360, "height": 740}
NO_SIDEWAYS = "() => document.documentElement.scrollWidth <= innerWidth"
TEXT = "I built a small service that reads invoices."


@pytest.fixture
def room(playwright):
    with chromium_browser(playwright) as browser, fresh_page(browser, viewport=SMALL) as page:
        page.add_init_script(
            "navigator.mediaDevices.getUserMedia = () => { throw new Error('asked for it'); };"
        )
        yield Room(page)


def give(stack, url: str, **what) -> None:
    address = f"{stack.url}/api/v1/invitations/{stack.invitation_of(url)['id']}/accommodation"
    headers = {"Authorization": f"Bearer {stack.demo['api_key']}"}
    before = httpx.get(address, headers=headers, timeout=60).raise_for_status()
    headers["If-Match"] = before.headers["ETag"]
    httpx.put(address, json={"reason": "as agreed", **what}, headers=headers, timeout=60).raise_for_status()


def check(room: Room, where: str) -> None:
    assert room.page.evaluate(NO_SIDEWAYS), where
    assert_accessible(room.page, where)


def answer(room: Room) -> None:
    position = room.shown("position")
    room.page.fill("[data-testid=text]", TEXT)
    room.press("send-text")
    room.page.wait_for_function(
        "before => document.querySelector('#stage [data-part=position]')?.textContent !== before",
        arg=position,
    )


def test_interview_is_taken_in_writing_from_the_landing_to_the_end(speaking_stack, room):
    url = speaking_stack.invite()
    give(speaking_stack, url, is_written=True, extra_percent=50, has_large_text=True)
    page = room.page
    page.goto(url)
    arranged = page.inner_text("[data-testid=arranged]")
    assert "You have 50 % more time" in arranged
    assert "No microphone is needed" in arranged
    check(room, "landing")
    page.click("input[type=checkbox]")
    page.click("form button")
    room.wait_for("ready")
    assert "No microphone" in page.inner_text("#stage")
    check(room, "ready")
    room.start()
    for n in range(3):
        room.wait_for("write")
        if n == 0:
            check(room, "write")
        if n == 1:
            give(speaking_stack, url, is_written=True, is_untimed=True)
            room.wait_for_text("notice", "Something was changed for you")
            page.wait_for_function("() => !document.documentElement.classList.contains('large-text')")
        answer(room)
    room.wait_for("finish")
    check(room, "finish")
    query = (
        "SELECT typed_text, recording_id FROM interviews_answer WHERE session_id = %s AND kind = 'question'"
    )
    stored = speaking_stack.rows(query, [speaking_stack.invitation_of(url)["session_id"]])
    assert stored == [(TEXT, None)] * 3
