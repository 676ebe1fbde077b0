"""Candidates wait in one line, even while the web processes that serve them change."""

from contextlib import AsyncExitStack

import pytest

from tests.candidate import connected, consent
from tests.full_house import every_place_taken

pytestmark = pytest.mark.flows


async def test_line_survives_the_death_of_all_web_processes(stack):
    urls = [stack.invite() for _ in range(3)]
    for url in urls:
        await consent(url)
    async with AsyncExitStack() as connections:
        with every_place_taken(stack):
            before = [await connections.enter_async_context(connected(url)) for url in urls]
            assert [candidate.messages[0]["place"] for candidate in before] == [1, 2, 3]
            kill_all_web_processes(stack)

            after = [await connections.enter_async_context(connected(url)) for url in reversed(urls)]
            assert [candidate.messages[0]["place"] for candidate in after] == [3, 2, 1]
        for candidate in after:
            await candidate.until(lambda message: message["type"] == "snapshot")
            assert candidate.state["session"]["status"] == "checking"


def kill_all_web_processes(stack) -> None:
    for index, pid in enumerate(stack.pids("web")):
        stack.kill("web", index)
        stack.wait_restarted("web", pid)
    stack.wait_ready()
