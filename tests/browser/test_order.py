"""Questions change places by buttons and by keys, and say where they are now."""

import pytest
from playwright.sync_api import Page

from tests.conftest import ROOT

pytestmark = pytest.mark.browser

SCRIPT = ROOT / "interviews" / "static" / "admin" / "interviews" / "order.js"
ROW = """
  <tbody class="form-group"><tr>
    <td>
      <input name="questions-%(n)d-position" value="%(n)d">
      <span data-moved="Now question {n} of {total}">
        <button data-move="-1">Up</button><button data-move="1">Down</button>
      </span>
    </td>
    <td><textarea>%(text)s</textarea></td>
  </tr></tbody>
"""


@pytest.fixture
def questions(page: Page) -> Page:
    """Three questions in a table as the theme draws it, and the row that new ones are made of."""
    rows = "".join(ROW % {"n": n, "text": text} for n, text in enumerate("abc"))
    page.set_content(
        f'<table id="questions-data">{rows}<tbody class="form-group empty-form"></tbody></table>'
    )
    page.add_script_tag(content=SCRIPT.read_text(), type="module")
    return page


def order(page: Page) -> list[tuple[str, str]]:
    rows = page.locator("tbody:not(.empty-form)")
    return [(row.locator("textarea").input_value(), row.locator("input").input_value()) for row in rows.all()]


def test_key_moves_the_question_with_the_focus_in_it(questions):
    questions.focus("textarea >> nth=2")
    questions.keyboard.press("Alt+ArrowUp")
    assert order(questions) == [("a", "1"), ("c", "2"), ("b", "3")]
    assert questions.locator("[role=status]").text_content() == "Now question 2 of 3"
    assert questions.evaluate("() => document.activeElement.value") == "c"
    questions.keyboard.press("ArrowUp")
    assert order(questions)[1][0] == "c", "without Alt the arrow is the text's"


def test_buttons_move_it_and_stop_at_the_ends(questions):
    for _ in range(3):
        questions.click("tbody:has(textarea:text('a')) [data-move='1']")
    assert order(questions) == [("b", "1"), ("c", "2"), ("a", "3")]
    assert questions.evaluate("() => document.activeElement.dataset.move") == "1"
