import pytest

from tests.voice.sockets.client import Client


@pytest.fixture(autouse=True)
async def tidy_up():
    """Close every connection of the test."""
    yield
    while Client.opened:
        await Client.opened.pop().close()
