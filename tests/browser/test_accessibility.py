"""axe-core finds no problem on any page of the candidate, in light and dark mode."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.room import Room

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def assert_accessible(page, where: str) -> None:
    page.wait_for_timeout(300)  # contrast is measured after the colours have faded in
    found = Axe().run(page, options=RULES).response["violations"]
    assert not found, f"{where}: " + "; ".join(f"{v['id']}: {v['nodes'][0]['html']}" for v in found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_candidate_pages_have_no_accessibility_violations(speaking_stack, page, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": 360, "height": 740})
    room = Room(page)
    page.goto(speaking_stack.url + "/i/nobody-has-this-link/")
    assert_accessible(page, "unknown link")
    url = speaking_stack.load_demo()["invitation_url"]
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
