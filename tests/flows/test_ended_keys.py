"""A key that has ended opens nothing more, in no process of the running system, open sockets included."""

import asyncio
import hashlib
import json
import time
import uuid
from contextlib import AsyncExitStack
from typing import NamedTuple

import httpx
import psutil
import pytest
import websockets

pytestmark = pytest.mark.flows

PATHS = ("/ws/asr", "/ws/tts", "/ws/voice")
REST = ("/v1/models", "/api/v1/interviews")
WITHIN_S = 60
INSERT = """
INSERT INTO accounts_apikey (id, organisation_id, name, scopes, hint, digest, created_at)
SELECT %s, min(id), 'ending', '["voice", "interviews"]', 'ipk_ending', %s, now() FROM accounts_organisation
RETURNING id
"""
"""As the release before issues one."""
ENDS = {
    "revoked": "UPDATE accounts_apikey SET revoked_at = now() WHERE id = %s RETURNING id",
    "expired": "UPDATE accounts_apikey SET expires_at = now() WHERE id = %s RETURNING id",
    "other networks": "UPDATE accounts_apikey SET networks = '203.0.113.0/24' WHERE id = %s RETURNING id",
}


class Key(NamedTuple):
    id: uuid.UUID
    headers: dict[str, str]


@pytest.fixture
def key(stack):
    assert stack.demo
    row_id, secret = uuid.uuid4(), f"ipk_{uuid.uuid4().hex}"
    stack.secrets.add(secret)
    stack.rows(INSERT, [row_id, hashlib.sha256(secret.encode()).hexdigest()])
    return Key(row_id, {"Authorization": f"Bearer {secret}"})


def processes_with_sockets(stack, ports) -> set[int]:
    """Return the web processes that hold connections of these ports of ours."""
    return {
        pid
        for pid in stack.pids("web")
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.raddr and connection.raddr.port in ports
    }


async def opened_in_every_process(stack, key, closing):
    """Open sockets until each web process has one; at least one for each address."""
    found = []
    while len(found) < len(PATHS) or (
        len(found) < 60 and len(processes_with_sockets(stack, {one.local_address[1] for one in found})) < 2
    ):
        url = stack.url.replace("http", "ws") + PATHS[len(found) % len(PATHS)]
        connecting = websockets.connect(url, additional_headers=key.headers)
        found.append(await closing.enter_async_context(connecting))
    return found


async def closed(socket) -> tuple[int, float]:
    """Return the code with which the server closes, and when."""
    told = json.loads(await asyncio.wait_for(socket.recv(), WITHIN_S))
    assert told["code"] == "unauthenticated"
    await asyncio.wait_for(socket.wait_closed(), WITHIN_S)
    return socket.close_code, time.monotonic()


async def refused(stack, key, path, status) -> float:
    """Return when an address refuses the key for the third time running."""
    times, deadline = 0, time.monotonic() + WITHIN_S
    async with httpx.AsyncClient(base_url=stack.url, headers=key.headers) as client:
        while times < 3:
            answer = await client.get(path, headers={"Connection": "close"})
            times = times + 1 if answer.status_code == status else 0
            assert time.monotonic() < deadline
    return time.monotonic()


@pytest.mark.parametrize("end", ENDS)
async def test_key_that_ends_opens_nothing_in_any_process(stack, key, end, record_property):
    status = 403 if end == "other networks" else 401
    async with AsyncExitStack() as closing:
        sockets = await opened_in_every_process(stack, key, closing)
        for path in REST:
            answer = await asyncio.to_thread(httpx.get, stack.url + path, headers=key.headers)
            assert answer.status_code == 200

        stack.rows(ENDS[end], [key.id])
        ended = time.monotonic()
        *closings, speech, interviews = await asyncio.gather(
            *map(closed, sockets), *(refused(stack, key, path, status) for path in REST)
        )

    assert {code for code, _ in closings} == {4401}
    took = {"sockets": max(at for _, at in closings), "speech": speech, "interviews": interviews}
    figures = {name: round(at - ended, 2) for name, at in took.items()}
    record_property("seconds", figures)
    print(f"{end}: {len(sockets)} sockets closed and REST refused after {figures} s")
