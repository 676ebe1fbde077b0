"""The device check on a small screen."""

import pytest

from tests.browser.room import Room

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

LISTS_LATE = """
() => {
  const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
  navigator.mediaDevices.enumerateDevices = async () => {
    await new Promise((done) => setTimeout(done, 500));
    return list();
  };
}
"""


def test_nothing_moves_under_a_finger_while_microphones_are_listed(stack, page):
    page.set_viewport_size({"width": 320, "height": 560})
    room = Room(page)
    room.consent(stack.invite())
    page.evaluate(LISTS_LATE)
    room.press("start-check")

    page.click("[data-testid=continue]:visible", delay=1_500)  # ms between pressing and letting go

    room.wait_for("practice")
