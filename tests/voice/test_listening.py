import asyncio
from uuid import uuid4

import pytest

from voice import listening
from voice.listening import Listener


@pytest.fixture
async def listener(monkeypatch):
    """A listener whose task has lost its cancelling, as a call inside redis-py can."""

    async def lose_cancelling(self, offset):
        while not self._is_closed:
            try:
                await self._has_audio.wait()
            except asyncio.CancelledError:
                continue

    monkeypatch.setattr(Listener, "_listen", lose_cancelling)

    async def tell(message):
        raise AssertionError(message)

    return Listener(recording_id=uuid4(), language="en", offset=0, reply_to="channel", tell=tell)


async def test_close_ends_a_task_that_lost_its_cancelling(listener):
    await asyncio.sleep(0)  # the task begins
    await asyncio.wait_for(listener.close(), timeout=2 * listening.CLOSE_WITHIN_S)
    assert listener._task.done()
