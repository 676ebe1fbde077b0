import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from tests.voice.sockets.client import Client


@pytest.fixture(autouse=True)
async def tidy_up():
    """Close every connection of the test."""
    yield
    while Client.opened:
        await Client.opened.pop().close()
    await sync_to_async(connections.close_all)()
