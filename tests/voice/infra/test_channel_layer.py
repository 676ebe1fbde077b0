"""Messages to groups that are sent soon, and once for many calls."""

import asyncio
import threading

import pytest
import redis

from voice.infra import channel_layer

WITHIN_S = 60


class Layer:
    """What is sent; the first message fails where `error` is set."""

    def __init__(self):
        self.sent, self.error, self.came = [], None, threading.Event()

    async def group_send(self, group, message):
        self.sent.append((group, message["type"]))
        self.came.set()
        if self.error:
            raise self.error


@pytest.fixture
def layer(monkeypatch):
    layer = Layer()
    monkeypatch.setattr(channel_layer, "get_channel_layer", lambda: layer)
    return layer


@pytest.fixture
def end_waits(monkeypatch):
    """A function that ends all waits before a message is sent."""
    waits = threading.Event()

    async def sleep(seconds):
        await asyncio.to_thread(waits.wait, WITHIN_S)

    monkeypatch.setattr(channel_layer, "asyncio", Asyncio(sleep))
    return waits.set


class Asyncio:
    """The module, with another `sleep`."""

    def __init__(self, sleep):
        self.sleep = sleep

    def __getattr__(self, name):
        return getattr(asyncio, name)


def hint(group="watchers.7"):
    channel_layer.group_send_soon(group, {"type": "changed"}, within_s=WITHIN_S)


def test_many_calls_are_one_message_a_group(layer, end_waits):
    for _ in range(100):
        hint()
    sending = list(channel_layer._sending)
    end_waits()
    for each in sending:
        each.result(WITHIN_S)
    assert layer.sent == [("watchers.7", "changed")]


def test_call_after_a_message_is_another_message(layer, end_waits):
    end_waits()
    for _ in range(2):
        layer.came.clear()
        hint()
        assert layer.came.wait(WITHIN_S)
    assert len(layer.sent) == 2


def test_layer_that_is_not_reached_is_logged_and_tried_again(layer, end_waits, caplog):
    end_waits()
    layer.error = redis.ConnectionError("secret")
    hint()
    for each in list(channel_layer._sending):
        each.result(WITHIN_S)
    assert "channel layer not reached: ConnectionError" in caplog.text
    assert "secret" not in caplog.text
    layer.came.clear()
    hint()
    assert layer.came.wait(WITHIN_S)
