"""A recruiter watches a candidate in Chromium: the row moves, and the page outlives its connection."""

import asyncio
import threading

import pytest
from playwright.sync_api import expect

from tests.browser.browsers import fresh_page
from tests.browser.test_evaluation import assert_accessible
from tests.candidate import connected, consent

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

WITHIN_MS, WITHIN_S = 120_000, 120
NEWEST = "/admin/watching/?page=9999"
"""The last page, whoever else is in an interview."""


class Script:
    """A candidate on an event loop of its own, beside Playwright's."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="candidate", daemon=True)
        self._thread.start()
        self.run(consent(url))
        self._connection = connected(url)
        self.candidate = self.run(self._connection.__aenter__())

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)

    def act(self, command: str, event: str, **fields) -> None:
        """Send a command, and wait until the platform says that it happened."""
        self.run(self.candidate.say(command, **fields))
        self.run(self.candidate.event(event))

    def leave(self) -> None:
        self.run(self._connection.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def test_row_moves_while_a_candidate_answers(stack, chromium, cookies):
    script = Script(stack.invite())
    with fresh_page(chromium) as page:
        page.context.add_cookies(cookies)
        page.goto(stack.url + NEWEST)
        status = page.locator("[data-status]")
        row = page.locator(f'[data-row="{script.candidate.state["session"]["id"]}"]')

        def shows(cell: str, text: str) -> None:
            expect(row.locator(f'[data-cell="{cell}"]')).to_have_text(text, timeout=WITHIN_MS)

        expect(status).to_have_text("Live", timeout=WITHIN_MS)
        shows("doing", "checks devices")
        name = row.get_by_role("link")
        name.focus()
        script.act("devices_checked", "devices_checked")
        shows("doing", "practises")
        script.run(script.candidate.ask_first_question())
        shows("question", "Question 1 of 3")
        shows("doing", "thinking")
        script.run(script.candidate.begin())
        shows("doing", "answering")
        script.act("type_answer", "answer_typed", answer=script.candidate.current, text="Invoices.")
        shows("question", "Question 2 of 3")
        shows("progress", "1 of 3 answered")
        shows("connection", "connected")
        expect(name).to_be_focused()
        assert_accessible(page, ".ip-home")

        page.context.set_offline(True)
        expect(status).to_contain_text("The connection was lost", timeout=WITHIN_MS)
        script.leave()
        page.context.set_offline(False)
        expect(status).to_have_text("Live", timeout=WITHIN_MS)
        shows("connection", "away")
