"""Behaviour of all voice sockets: admission, invalid messages, limits, closing."""

import asyncio
import json

import pytest
import redis
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from tests.voice.sockets.client import CALLER, PATIENCE_S, Client
from voice import metrics
from voice.callers import Caller, group_of
from voice.capacity import rate_limits
from voice.sockets import base
from voice.sockets.tts import TtsConsumer

pytestmark = pytest.mark.usefixtures("clean_redis")

SOCKETS = pytest.mark.parametrize("path", ["ws/asr", "ws/tts", "ws/voice"])


def with_limits(settings, **limits_by_name) -> None:
    settings.VOICE = settings.VOICE | limits_by_name


@SOCKETS
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hello", "bad_message"),
        ("[1, 2]", "bad_message"),
        ('"text"', "bad_message"),
        ("null", "bad_message"),
        ("{}", "bad_message"),
        ('{"type": 5}', "bad_message"),
        ('{"type": "text"', "bad_message"),
        ("[" * 100_000, "bad_message"),
        ("x" * 1_000_000, "bad_message"),
        ('{"type": "fly"}', "unknown_type"),
        ('{"type": "__init__"}', "unknown_type"),
        ('{"type": "' + "y" * 100_000 + '"}', "unknown_type"),
    ],
)
async def test_message_that_is_none_is_refused_and_the_connection_stays(path, text, code):
    client = await Client(path).open()
    await client.send(text=text)
    error = await client.until_error()

    assert error["code"] == code
    assert len(json.dumps(error)) < 500
    await client.still_answers()


@SOCKETS
async def test_ping_is_answered(path):
    client = await Client(path).open()

    await client.still_answers()


@SOCKETS
@pytest.mark.parametrize("slash", ["", "/"])
async def test_address_ends_with_a_slash_or_not(path, slash):
    await Client(path + slash).open()


async def test_subprotocol_of_browsers_is_accepted():
    client = await Client("ws/voice", subprotocols=["voice", "key.ipk_secret"]).open()

    assert client.subprotocol == "voice"


@SOCKETS
async def test_caller_with_too_many_connections_is_told_when_to_come_back(path, settings):
    with_limits(settings, CONNECTIONS_PER_KEY=1)
    first = await Client(path).open()
    await first.still_answers()
    second = await Client(path).open()

    busy = await second.next()
    assert (busy["type"], busy["code"]) == ("error", "busy")
    assert busy["retry_after_s"] > 0
    assert await second.close_code() == base.CLOSE_BUSY
    await first.still_answers()


async def test_another_caller_is_not_kept_out(settings):
    with_limits(settings, CONNECTIONS_PER_KEY=1)
    await (await Client("ws/tts").open()).still_answers()
    other = await Client("ws/tts", caller=Caller("key:other", "organisation:2", "Other")).open()

    await other.still_answers()


async def test_place_is_free_again_after_a_connection_ends(settings):
    with_limits(settings, CONNECTIONS_PER_KEY=1, CONNECTIONS=1)
    for _ in range(3):
        client = await Client("ws/tts").open()
        await client.still_answers()
        await client.close()


async def test_full_process_refuses_connections(settings):
    with_limits(settings, CONNECTIONS=1)
    await (await Client("ws/tts").open()).still_answers()
    other = await Client("ws/asr", caller=Caller("key:other", "organisation:2", "Other")).open()

    assert (await other.next())["code"] == "busy"
    assert await other.close_code() == base.CLOSE_BUSY


async def test_too_many_requests_a_minute_are_refused(worker, settings):
    with_limits(settings, REQUESTS_PER_MINUTE=1)
    client = await Client("ws/tts").open()
    await client.say("synthesize", text="Hello.")
    await client.until("synthesis_complete")

    error = await client.error("synthesize", text="Hello again.", request_id="b")
    assert (error["code"], error["request_id"]) == ("rate_limited", "b")
    assert 0 < error["retry_after_s"] <= rate_limits.WINDOW_S
    await client.still_answers()


async def test_message_that_is_refused_costs_no_request(worker, settings):
    with_limits(settings, REQUESTS_PER_MINUTE=1)
    client = await Client("ws/voice").open()
    for _ in range(3):
        assert (await client.error("text", text=""))["code"] == "bad_value"

    await client.say("text", text="Hello.")
    await client.until("audio")


async def test_caller_who_would_not_be_let_in_any_more_is_told_and_closed(monkeypatch):
    monkeypatch.setattr(base, "AUTHORISED_FOR_S", 0.01)
    client = await Client("ws/voice").open()
    await client.still_answers()
    client.is_known = False

    assert (await client.until_error())["code"] == "unauthenticated"
    assert await client.close_code() == base.CLOSE_NOT_AUTHORISED


async def test_caller_is_checked_at_once_when_something_of_him_changed():
    client = await Client("ws/voice").open()
    await client.still_answers()
    await get_channel_layer().group_send(group_of(CALLER.id), {"type": "caller.changed"})
    await client.still_answers()
    client.is_known = False
    await get_channel_layer().group_send(group_of(CALLER.id), {"type": "caller.changed"})

    assert (await client.until_error())["code"] == "unauthenticated"
    assert await client.close_code() == base.CLOSE_NOT_AUTHORISED


async def test_connections_are_counted_while_they_are_open():
    def count() -> float:
        return metrics.CONNECTIONS.labels(socket="tts")._value.get()

    before = count()
    client = await Client("ws/tts").open()
    await client.still_answers()
    during = count()
    await client.close()

    assert (during, count()) == (before + 1, before)


async def test_defect_of_ours_closes_the_connection_and_tells_no_text(monkeypatch, caplog):
    async def fail(request, caller):
        raise ValueError("Ada said something private")

    monkeypatch.setattr("voice.service.synthesis.checked", fail)
    client = await Client("ws/tts").open()
    await client.say("synthesize", text="Hello.")

    assert await client.close_code() == base.CLOSE_DEFECT
    assert "ValueError in test_base.py" in caplog.text
    assert "private" not in caplog.text


async def test_redis_that_is_away_is_told(monkeypatch):
    async def fail(caller):
        raise redis.ConnectionError("no")

    monkeypatch.setattr(rate_limits, "count_request", fail)
    client = await Client("ws/voice").open()
    error = await client.error("audio", audio="UklGRg==")

    assert error["code"] == "engine_unavailable"
    await client.still_answers()


async def test_client_that_reads_nothing_is_closed(worker, monkeypatch):
    """The server waits for its client, as ours does (tests/interview_platform/server/test_daphne.py)."""
    monkeypatch.setattr(base, "SEND_WITHIN_S", 0.1)
    close_codes: asyncio.Queue[int] = asyncio.Queue()
    consumer = TtsConsumer.as_asgi()

    async def app(scope, receive, send):
        async def send_to_nobody(message):
            if message["type"] == "websocket.accept":
                await send(message)
            elif message["type"] == "websocket.close":
                await close_codes.put(message["code"])
            else:
                await asyncio.Event().wait()

        await consumer(scope | {"caller": CALLER}, receive, send_to_nobody)

    socket = WebsocketCommunicator(app, "/ws/tts")
    await socket.connect(timeout=PATIENCE_S)
    await socket.send_json_to({"type": "synthesize", "text": "Hello."})

    assert await asyncio.wait_for(close_codes.get(), PATIENCE_S) == base.CLOSE_TOO_SLOW
    await socket.disconnect(timeout=PATIENCE_S)


async def test_server_that_leaves_knows_what_is_being_answered():
    tasks: set[asyncio.Task] = set()
    client = await Client("ws/tts", tasks=tasks).open()
    assert not tasks

    await client.say("synthesize", text="Nobody speaks it, for no worker runs.")
    await client.still_answers()

    assert len(tasks) == 1
